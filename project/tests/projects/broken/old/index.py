def main(event, context):
    print "old"
