// Package store keeps the sandbox's data in SQLite: users, groups, sessions, keys, messages, and things that
// expire. It knows how to keep them, and nothing of what they mean.
//
// Without a directory everything is in memory. With one, what [Store.Update] has returned from survives the
// process being killed at any moment.
package store
