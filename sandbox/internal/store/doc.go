// Package store keeps the sandbox's data in SQLite: users, groups, sessions, keys,
// messages, identities, and values that expire. It does not know what the data means.
//
// Without a directory the data is in memory. With a directory, the data of each
// [Store.Update] that has returned survives a kill of the process at any moment.
package store
