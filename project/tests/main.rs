mod reading {}
