package access

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// recording is a case of storage-access.json; its README tells the form.
type recording struct {
	ID    string
	Input struct {
		Outputs struct {
			Storage struct {
				Buckets []struct {
					Name  string
					Paths json.RawMessage
				}
			}
		}
		Identities map[string]struct {
			IdentityID     string
			SignedIn       bool
			Unsigned       bool
			PreferredGroup *string
		}
		Requests []request
	}
	Expected struct {
		Verdicts []verdict
	}
}

type request struct {
	As, Action, Bucket string
	Key                string
	Prefix             *string
	Keys               []string
	Source             *struct{ Bucket, Key string }
	Headers            map[string]string
	Initiator          string
}

type verdict struct {
	Allowed bool
	Why     string
	Keys    []verdict
}

// TestRecordedVerdicts compares all verdicts that follow from rules
// with those of the policies that the real construct deploys. The
// requests themselves are made in TestAccess of the package sandbox.
func TestRecordedVerdicts(t *testing.T) {
	text, err := os.ReadFile("../../../../testdata/conformance/storage-access.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []recording
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, c := range cases {
		t.Run(c.ID, func(t *testing.T) {
			rules := map[string]*Rules{}
			for _, b := range c.Input.Outputs.Storage.Buckets {
				if rules[b.Name], err = Parse(b.Paths); err != nil {
					t.Fatal(err)
				}
			}
			for i, r := range c.Input.Requests {
				count++
				who := c.Input.Identities[r.As]
				caller := Caller{IdentityID: who.IdentityID, Role: Guest}
				switch {
				case who.Unsigned:
					caller = Caller{}
				case who.PreferredGroup != nil:
					caller.Role = GroupRole(*who.PreferredGroup)
				case who.SignedIn:
					caller.Role = Authenticated
				}
				want := c.Expected.Verdicts[i]
				if want.Keys != nil {
					for j, key := range r.Keys {
						if got := rules[r.Bucket].Evaluate(caller, Delete,
							key); got != want.Keys[j].verdict() {
							t.Errorf("%+v: %q: %v, want %+v", r, key, got, want.Keys[j])
						}
					}
					continue
				}
				if want.Why == "initiator" {
					continue // not by a rule
				}
				if got := judge(rules, caller, r); got != want.verdict() {
					t.Errorf("%+v: %v, want %+v", r, got, want)
				}
			}
		})
	}
	if count != 1462 {
		t.Errorf("there are %d requests", count)
	}
}

func (v verdict) verdict() Verdict {
	switch v.Why {
	case "allow":
		return Allowed
	case "explicit deny":
		return Denied
	}
	return NotAllowed
}

// judge evaluates the rights that a request needs.
func judge(rules map[string]*Rules, c Caller, r request) Verdict {
	here := rules[r.Bucket]
	if r.Headers["x-amz-tagging"] != "" {
		return NotAllowed
	}
	switch r.Action {
	case "GetObject", "HeadObject":
		return here.Evaluate(c, Get, r.Key)
	case "PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload":
		return here.Evaluate(c, Write, r.Key)
	case "DeleteObject":
		return here.Evaluate(c, Delete, r.Key)
	case "CopyObject", "UploadPartCopy":
		verdicts := []Verdict{rules[r.Source.Bucket].Evaluate(c, Get, r.Source.Key),
			here.Evaluate(c, Write, r.Key)}
		if slices.Contains(verdicts, Denied) {
			return Denied
		}
		return slices.Min(verdicts)
	case "ListObjects", "ListObjectsV2":
		if r.Prefix != nil {
			return here.Evaluate(c, List, *r.Prefix)
		}
	}
	return NotAllowed
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`[]`: "must be an object", `{"a/*": 1}`: `path "a/*"`,
		`{"a/*": {"guest": ["read"]}}`: `no action "read"`,
		`{"a/*": {"admin": ["get"]}}`:  `no "admin"`, `{"a/*": {"groups": ["get"]}}`: `no "groups"`,
		`{"a/*": {}`: "paths",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"", "null", "{}"} {
		r, err := Parse([]byte(text))
		if err != nil || r.Evaluate(Caller{Role: Authenticated}, Get, "a") != NotAllowed {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// FuzzPattern compares the matcher with one that is simple and slow.
func FuzzPattern(f *testing.F) {
	f.Add("a/*", "a/b/c", "id")
	f.Add("a*b*c?", "abbbcbcd", "")
	f.Add(identityVariable+"/*", "id/x", "id")
	f.Add("${aws:username, 'x'}/${*}", "x/*", "id")
	f.Fuzz(func(t *testing.T, text, key, id string) {
		if len(text) > 20 || len(key) > 20 || len(id) > 4 {
			return
		}
		p, c := parsePattern(text), Caller{IdentityID: id}
		if got, want := p.matches(key, c), slowly(p, []rune(key), id); got != want {
			t.Errorf("%q matches %q for %q: %v, want %v", text, key, id, got, want)
		}
	})
}

func slowly(p pattern, key []rune, id string) bool {
	if slices.ContainsFunc(p, func(t token) bool {
		return t.kind == nothing || t.kind == identity &&
			id == ""
	}) {
		return false
	}
	if len(p) == 0 {
		return len(key) == 0
	}
	switch t := p[0]; t.kind {
	case anything:
		return slowly(p[1:], key, id) || len(key) > 0 && slowly(p, key[1:], id)
	case identity:
		return slowly(append(literals(id), p[1:]...), key, id)
	case one:
		return len(key) > 0 && slowly(p[1:], key[1:], id)
	default:
		return len(key) > 0 && key[0] == t.char && slowly(p[1:], key[1:], id)
	}
}
