'use strict';

const COS = require('cos-nodejs-sdk-v5');

// The list of connections is in a bucket.
const place = { Bucket: 'board-1251234567', Region: 'ap-shanghai' };

const store = () => new COS({
  SecretId: process.env.TENCENTCLOUD_SECRETID,
  SecretKey: process.env.TENCENTCLOUD_SECRETKEY,
  SecurityToken: process.env.TENCENTCLOUD_SESSIONTOKEN,
});

exports.add = (id) => store().putObject({ ...place, Key: id, Body: '1' });

exports.remove = (id) => store().deleteObject({ ...place, Key: id });

exports.all = async () => {
  const listed = await store().getBucket({ ...place });
  return (listed.Contents || []).map((found) => found.Key);
};
