// Package access tells who may do what in a bucket. It makes of the section storage.buckets[].paths
// of an amplify_outputs.json the statements that Amplify's construct writes into the policies of
// the roles, and evaluates them as IAM does.
package access
