// Uses the object store through the cloud's client library for Node. Reads its input from stdin.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const COS = require('cos-nodejs-sdk-v5');

const given = JSON.parse(fs.readFileSync(0));
const place = { Bucket: given.bucket, Region: 'ap-guangzhou' };
const open = (changes) => new COS({
  SecretId: given.id,
  SecretKey: given.key,
  Protocol: 'http:',
  UseRawKey: true, // Else the library leaves out the first slash of a key.
  Proxy: `http://127.0.0.1:${given.port}`,
  ...changes,
});
const cos = open();
const md5 = (bytes) => crypto.createHash('md5').update(bytes).digest('hex');
const read = async (Key, options) => (await cos.getObject({ ...place, Key, ...options })).Body;

async function refused(code, status, promise) {
  const error = await promise.then(() => assert.fail(`not refused with ${code}`), (error) => error);
  assert.deepEqual([error.code, error.statusCode], [code, status], String(error));
}

// GETs or PUTs a URL, as a browser would, at the address where its host leads.
function fetchUrl(url, method = 'GET', body = '') {
  const { host, pathname, search } = new URL(url);
  const options = { method, host: '127.0.0.1', port: given.port, path: pathname + search, headers: { host } };
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve([response.statusCode, Buffer.concat(pieces).toString()]));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const signedUrl = (options) => new Promise((resolve, reject) => {
  cos.getObjectUrl({ ...place, Sign: true, ...options }, (error, data) => (error ? reject(error) : resolve(data.Url)));
});

const parts = {
  async thousand() {
    const key = (number) => `many/${String(number).padStart(4, '0')}`;
    for (let number = 0; number < 1000; number += 1) {
      const body = `content of ${number}`;
      const { ETag } = await cos.putObject({ ...place, Key: key(number), Body: body });
      assert.equal(ETag, `"${md5(body)}"`);
      const { Contents } = await cos.getBucket({ ...place, Prefix: key(number) });
      assert.deepEqual(Contents.map((entry) => [entry.Key, entry.Size]), [[key(number), String(body.length)]]);
    }
    for (let number = 0; number < 1000; number += 1) {
      if (number % 10 === 0) assert.equal(String(await read(key(number))), `content of ${number}`);
      await cos.deleteObject({ ...place, Key: key(number) });
    }
    assert.deepEqual((await cos.getBucket(place)).Contents, []);
  },

  async features() {
    const keys = ['a', 'a/b', 'folder/', '//x', '/y', 'a//b', 'AbC0123==', '聊/天 +&?#%=é', "a<b>(c)*!'", 'a/../b'];
    for (const Key of keys) await cos.putObject({ ...place, Key, Body: Key });
    const listed = (await cos.getBucket(place)).Contents.map((entry) => entry.Key);
    assert.deepEqual(listed, [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    const encoded = await cos.getBucket({ ...place, EncodingType: 'url' });
    assert.ok(encoded.Contents.some((entry) => entry.Key === 'AbC0123%3D%3D'));
    for (const Key of keys) {
      // The library takes keys that could be a path to the bucket for mistakes.
      if (Key !== '/') assert.equal(String(await read(Key)), Key);
      const { headers } = await cos.headObject({ ...place, Key });
      assert.equal(headers['content-length'], String(Buffer.byteLength(Key)));
    }
    const { CommonPrefixes } = await cos.getBucket({ ...place, Delimiter: '/' });
    assert.deepEqual(CommonPrefixes.map((entry) => entry.Prefix), ['/', 'a/', 'folder/', '聊/']);

    await cos.putObject({
      ...place, Key: 'm', Body: '0123456789', ContentType: 'text/x', CacheControl: 'no-cache', 'x-cos-meta-name': 'a b',
    });
    const { headers } = await cos.headObject({ ...place, Key: 'm' });
    assert.equal(headers['x-cos-meta-name'], 'a b');
    assert.equal(headers['content-type'], 'text/x');
    assert.equal(String(await read('m', { Range: 'bytes=2-4' })), '234');
    const CopySource = `${given.bucket}.cos.ap-guangzhou.myqcloud.com/m`;
    await cos.putObjectCopy({ ...place, Key: 'copy', CopySource });
    assert.equal((await cos.headObject({ ...place, Key: 'copy' })).headers['x-cos-meta-name'], 'a b');

    const url = await signedUrl({ Key: 'a/b', Query: { 'response-content-type': 'x/y' } });
    assert.deepEqual(await fetchUrl(url), [200, 'a/b']);
    assert.equal((await fetchUrl(url.replace('a/b', 'a')))[0], 403);
    assert.equal((await fetchUrl(await signedUrl({ Key: 'by url==', Method: 'PUT' }), 'PUT', 'by url'))[0], 200);
    assert.equal(String(await read('by url==')), 'by url');
    const [status, text] = await fetchUrl(await signedUrl({ Key: 'a', Expires: -1 }));
    assert.equal(status, 403);
    assert.match(text, /<Code>AccessDenied<\/Code><Message>Request has expired</);

    const { Buckets } = await cos.getService();
    assert.deepEqual(Buckets.map((bucket) => bucket.Name), [given.bucket]);
    const other = { ...place, Bucket: 'second-1250000000' };
    await cos.putBucket(other);
    await cos.headBucket(other);
    await refused('BucketAlreadyOwnedByYou', 409, cos.putBucket(other));
    await cos.deleteBucket(other);
    await refused('NoSuchBucket', 404, cos.putObject({ ...other, Key: 'a', Body: 'a' }));
    await refused('NoSuchKey', 404, cos.getObject({ ...place, Key: 'not there' }));
    await refused('NotImplemented', 501, cos.getBucketAcl(place));

    const Objects = [...keys, 'not there'].map((Key) => ({ Key }));
    const { Deleted } = await cos.deleteMultipleObject({ ...place, Objects });
    assert.equal(Deleted.length, Objects.length);
    const left = (await cos.getBucket(place)).Contents.map((entry) => entry.Key);
    assert.deepEqual(left, ['by url==', 'copy', 'm']);
  },

  async multipart() {
    const bodies = Array.from({ length: 20 }, () => crypto.randomBytes(1 << 20));
    const names = { ...place, Key: 'parts' };
    names.UploadId = (await cos.multipartInit({ ...names, ContentType: 'a/b' })).UploadId;
    const Parts = [];
    for (let number = 1; number <= bodies.length; number += 1) {
      if (number === 7) await cos.multipartUpload({ ...names, PartNumber: number, Body: 'other'.repeat(1000) });
      const { ETag } = await cos.multipartUpload({ ...names, PartNumber: number, Body: bodies[number - 1] });
      Parts.push({ PartNumber: number, ETag });
    }
    const { Part } = await cos.multipartListPart(names);
    assert.deepEqual(Part.map((part) => part.ETag), Parts.map((part) => part.ETag));
    const { ETag } = await cos.multipartComplete({ ...names, Parts });
    const digests = bodies.map((body) => crypto.createHash('md5').update(body).digest());
    assert.equal(ETag, `"${md5(Buffer.concat(digests))}-20"`);
    assert.ok((await read('parts')).equals(Buffer.concat(bodies)));

    const file = `${given.folder}/file`;
    fs.writeFileSync(file, Buffer.concat(bodies.slice(0, 12)));
    await cos.sliceUploadFile({ ...place, Key: 'file', FilePath: file, ChunkSize: 1 << 20 });
    assert.ok((await read('file')).equals(fs.readFileSync(file)));
    await cos.putObject({ ...place, Key: 'stream', Body: fs.createReadStream(file), ContentLength: 12 << 20 });
    assert.ok((await read('stream')).equals(fs.readFileSync(file)));
    const CopySource = `${given.bucket}.cos.ap-guangzhou.myqcloud.com/file`;
    await cos.sliceCopyFile({ ...place, Key: 'file copy', CopySource, CopySliceSize: 5 << 20, CopyChunkSize: 5 << 20 });
    assert.ok((await read('file copy')).equals(fs.readFileSync(file)));

    names.UploadId = (await cos.multipartInit({ ...names })).UploadId;
    assert.equal((await cos.multipartList(place)).Upload.length, 1);
    await cos.multipartAbort(names);
    await refused('NoSuchUpload', 404, cos.multipartAbort(names));
  },

  async secrets() {
    const calls = [
      (cos) => cos.putObject({ ...place, Key: 'a', Body: 'a' }),
      (cos) => cos.getBucket(place),
      (cos) => cos.deleteObject({ ...place, Key: 'a' }),
    ];
    for (const call of calls) {
      await refused('SignatureDoesNotMatch', 403, call(open({ SecretKey: 'another-secret-key-here' })));
      await refused('InvalidAccessKeyId', 403, call(open({ SecretId: 'AKIDother' })));
    }
    assert.deepEqual((await cos.getBucket(place)).Contents, []);
  },

  async pages() {
    const keys = [];
    let count = 0;
    for (let Marker; ; count += 1) {
      const page = await cos.getBucket({ ...place, Prefix: 'pages/', Marker });
      keys.push(...page.Contents.map((entry) => entry.Key));
      if (page.IsTruncated === 'false') break;
      Marker = page.NextMarker;
    }
    assert.equal(new Set(keys).size, keys.length);
    const folders = (await cos.getBucket({ ...place, Prefix: 'pages/', Delimiter: '/' })).CommonPrefixes;
    return { keys: keys.length, pages: count + 1, folders: folders.map((entry) => entry.Prefix) };
  },
};

parts[given.part]().then(
  (result) => {
    fs.writeSync(1, JSON.stringify(result ?? null));
    process.exit(0);
  },
  (error) => {
    fs.writeSync(2, String(error.stack || error));
    process.exit(1);
  },
);
