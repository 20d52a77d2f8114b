<?php function main($event, $context) { return null; }
