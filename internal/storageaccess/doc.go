// Package storageaccess computes who may do what at which key of a bucket, from the access rules in
// amplify_outputs.json (storage.buckets[].paths) alone. It decides as the IAM policies do that
// Amplify's storage construct makes of the same definition.
//
// It explains and lists rights. It grants none: S3 decides.
//
// Source: aws-amplify/amplify-backend, packages/backend-storage, storage_access_orchestrator.ts and
// storage_access_policy_factory.ts; IAM User Guide, "Policy variables" and "StringLike".
package storageaccess
