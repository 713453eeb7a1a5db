// Package s3 is the REST API of Amazon S3 as far as Amplify Storage and the AWS SDKs use it: who is
// calling (Signature Version 4), what they may do, and the operations on objects and uploads, with
// S3's errors (Amazon Simple Storage Service API Reference).
package s3
