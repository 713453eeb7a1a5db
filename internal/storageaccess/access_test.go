package storageaccess_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/storageaccess"
)

// identity and request are as README-storage-access.md of the recordings tells.
type identity struct {
	IdentityID     string   `json:"identityId"`
	SignedIn       bool     `json:"signedIn"`
	Groups         []string `json:"groups"`
	PreferredGroup string   `json:"preferredGroup"`
	Unsigned       bool     `json:"unsigned"`
}

type request struct {
	As        string            `json:"as"`
	Action    string            `json:"action"`
	Bucket    string            `json:"bucket"`
	Key       string            `json:"key"`
	Prefix    *string           `json:"prefix"`
	Delimiter string            `json:"delimiter"` // changes nothing
	Source    *request          `json:"source"`
	Keys      []string          `json:"keys"`
	Headers   map[string]string `json:"headers"`
	Initiator string            `json:"initiator"`
}

var accessRules = []conformance.Rule{{
	Name:   "definitions that do not deploy",
	Reason: "the library reads outputs, and there are none",
	Match:  func(c conformance.Case) bool { return c.Want("error") != nil },
	Instead: func(c conformance.Case) conformance.Case {
		return c.ExpectNo("error").Expect(true, "noOutputs")
	},
}}

func TestConformanceStorageAccess(t *testing.T) {
	conformance.Run(t, "storage-access.json", accessRules, func(t *testing.T, c conformance.Case) error {
		var in struct {
			Outputs    json.RawMessage     `json:"outputs"`
			Definition json.RawMessage     `json:"definition"` // that the outputs come from
			Identities map[string]identity `json:"identities"`
			Requests   []request           `json:"requests"`
		}
		if err := conformance.Decode(c.Input, &in); err != nil {
			return err
		}
		if in.Outputs == nil {
			want, err := json.Marshal(map[string]any{"noOutputs": true})
			if err != nil {
				return err
			}
			return conformance.Diff(c.Expected, json.RawMessage(want))
		}
		cfg, err := amplify.ParseConfig(in.Outputs)
		if err != nil {
			return err
		}
		var want struct {
			Verdicts []struct {
				Allowed bool `json:"allowed"`
				Keys    []struct {
					Allowed bool `json:"allowed"`
				} `json:"keys"`
			} `json:"verdicts"`
		}
		if err := json.Unmarshal(c.Expected, &want); err != nil {
			return err
		}
		if len(in.Requests) == 0 || len(want.Verdicts) != len(in.Requests) {
			return fmt.Errorf("%d verdicts about %d requests", len(want.Verdicts), len(in.Requests))
		}
		for i, r := range in.Requests {
			caller := in.Identities[r.As]
			if len(r.Keys) > 0 {
				if len(r.Keys) != len(want.Verdicts[i].Keys) {
					return fmt.Errorf("%+v: %d verdicts", r, len(want.Verdicts[i].Keys))
				}
				for k, key := range r.Keys {
					one := request{As: r.As, Action: "DeleteObject", Bucket: r.Bucket, Key: key}
					if got := allows(cfg, caller, one); got != want.Verdicts[i].Keys[k].Allowed {
						return fmt.Errorf("%s deletes %q: got %v", r.As, key, got)
					}
				}
				continue
			}
			if got := allows(cfg, caller, r); got != want.Verdicts[i].Allowed {
				return fmt.Errorf("%+v: got %v", r, got)
			}
		}
		return nil
	})
}

// allows judges a request by the rights that S3 asks for.
func allows(cfg amplify.Config, as identity, r request) bool {
	if as.Unsigned {
		return false
	}
	caller := storageaccess.Caller{IdentityID: as.IdentityID, SignedIn: as.SignedIn, Group: as.PreferredGroup}
	check := func(action storageaccess.Action, bucket, key string) bool {
		return storageaccess.Check(cfg.Storage.Buckets[bucket].Paths, caller, action, key).Allowed
	}
	if _, tagged := r.Headers["x-amz-tagging"]; tagged {
		return false // no rule gives the right to tag
	}
	switch r.Action {
	case "GetObject", "HeadObject":
		return check(storageaccess.Get, r.Bucket, r.Key)
	case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		return check(storageaccess.Write, r.Bucket, r.Key)
	case "DeleteObject":
		return check(storageaccess.Delete, r.Bucket, r.Key)
	case "CopyObject", "UploadPartCopy":
		return check(storageaccess.Get, r.Source.Bucket, r.Source.Key) && check(storageaccess.Write, r.Bucket, r.Key)
	case "ListObjectsV2", "ListObjects":
		return r.Prefix != nil && check(storageaccess.List, r.Bucket, *r.Prefix)
	case "AbortMultipartUpload", "ListParts":
		return r.Initiator == r.As
	}
	return false // rights that no rule gives
}

func TestLocations(t *testing.T) {
	const own = "${cognito-identity.amazonaws.com:sub}"
	paths := []amplify.PathAccess{
		{Pattern: "private/" + own + "/*", Actions: map[string][]string{"entityidentity": {"get", "list", "write", "delete"}}},
		{Pattern: "photos/*", Actions: map[string][]string{
			"guest": {"get"}, "authenticated": {"get", "list", "write"}, "groupsADMINS": {"get", "delete"},
		}},
		{Pattern: "photos/raw/*", Actions: map[string][]string{"authenticated": {"get"}}},
		{Pattern: "photos/jobs/*", Actions: map[string][]string{}},
		{Pattern: "photos/empty/*", Actions: map[string][]string{"guest": {}}},
		{Pattern: "other/*", Actions: map[string][]string{"groupsOTHERS": {"get"}}},
	}
	const get, list, write, remove = storageaccess.Get, storageaccess.List, storageaccess.Write, storageaccess.Delete
	for _, c := range []struct {
		caller storageaccess.Caller
		want   []storageaccess.Location
	}{
		{storageaccess.Caller{IdentityID: "i"}, []storageaccess.Location{
			{"photos/*", []storageaccess.Action{get}}, {"photos/raw/*", nil}, {"photos/jobs/*", nil},
		}},
		{storageaccess.Caller{IdentityID: "i", SignedIn: true}, []storageaccess.Location{
			{"private/i/*", []storageaccess.Action{get, list, write, remove}},
			{"photos/*", []storageaccess.Action{get, list, write}},
			{"photos/raw/*", []storageaccess.Action{get}}, {"photos/jobs/*", nil},
		}},
		{storageaccess.Caller{IdentityID: "i", SignedIn: true, Group: "ADMINS"}, []storageaccess.Location{
			{"photos/*", []storageaccess.Action{get, remove}}, {"photos/raw/*", nil}, {"photos/jobs/*", nil},
		}},
	} {
		got := storageaccess.Locations(paths, c.caller)
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%+v (-want +got)\n%s", c.caller, d)
		}
		// What a location says is what a key in it gets.
		for _, l := range got {
			key := l.Pattern[:len(l.Pattern)-1] + "x"
			for _, action := range []storageaccess.Action{get, list, write, remove} {
				if allowed := storageaccess.Check(paths, c.caller, action, key).Allowed; allowed != slices.Contains(l.Actions, action) {
					t.Errorf("%+v: %s of %s: %v", c.caller, action, key, allowed)
				}
			}
		}
	}
}

// FuzzCheck: no pattern and no key makes it panic, and a variable never matches another identity.
func FuzzCheck(f *testing.F) {
	f.Add("private/${cognito-identity.amazonaws.com:sub}/*", "private/them/a")
	f.Add("a*b?${", "a}${*}b")
	f.Add("\xff*", "\xff\xfe")
	f.Fuzz(func(t *testing.T, pattern, key string) {
		everything := map[string][]string{"authenticated": {"get", "list", "write", "delete"}}
		paths := []amplify.PathAccess{{Pattern: pattern, Actions: everything}, {Pattern: "own/${cognito-identity.amazonaws.com:sub}/*", Actions: everything}}
		me := storageaccess.Caller{IdentityID: "me", SignedIn: true}
		storageaccess.Check(paths, me, storageaccess.Get, key)
		if v := storageaccess.Check(paths[1:], me, storageaccess.Get, "own/them/"+key); v.Allowed {
			t.Errorf("%q is mine", key)
		}
	})
}
