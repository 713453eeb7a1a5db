package storage

import (
	"context"
	"maps"
	"slices"

	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// Location is a part of a bucket and what the caller may do there.
type Location struct {
	// Bucket is the friendly name of the bucket.
	Bucket string
	// Path is a path with "*" at its end, such as "photos/*".
	Path string
	// Actions are "get", "list", "write" and "delete", as far as the caller has these rights. If
	// there are none, this path takes away the rights that a shorter path gives.
	Actions []string
}

// Locations returns where the caller may do what by the rules of the outputs
// (storage.buckets[].paths), by bucket and in the order of its paths. It asks no service: what is
// deployed may differ.
//
// The caller has one role: that of guests, that of signed-in users, or that of a group. A member of
// a group has the role of the group instead of that of signed-in users.
func Locations(ctx context.Context) ([]Location, error) {
	c, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	if c.credentials == nil {
		return nil, awsapi.ErrNoCredentials
	}
	storage := c.app.Config().Storage
	if storage == nil {
		_, _, err := Bucket{}.find(nil)
		return nil, err
	}
	caller := c.caller(ctx)
	var all []Location
	for _, name := range slices.Sorted(maps.Keys(storage.Buckets)) {
		for _, l := range storageaccess.Locations(storage.Buckets[name].Paths, caller) {
			location := Location{Bucket: name, Path: l.Pattern}
			for _, action := range l.Actions {
				location.Actions = append(location.Actions, string(action))
			}
			all = append(all, location)
		}
	}
	return all, nil
}
