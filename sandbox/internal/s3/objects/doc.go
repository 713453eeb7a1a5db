// Package objects keeps buckets, objects and multipart uploads. What they are is in the store;
// their bytes are blobs, in files or in memory. A blob is complete and synced before anything
// names it, so that readers, and a sandbox that starts after a crash, find whole objects only.
package objects
