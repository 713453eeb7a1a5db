package pretoken

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestParse: examples of the Developer Guide, "Pre token generation Lambda trigger", among others.
func TestParse(t *testing.T) {
	type claims = map[string]any
	for name, c := range map[string]struct {
		text string
		want Response
	}{
		"version 1": {
			`{"claimsOverrideDetails": {
				"claimsToAddOrOverride": {"attribute_key": "attribute_value"},
				"claimsToSuppress": ["email"],
				"groupOverrideDetails": {
					"groupsToOverride": ["group-A", "group-B"],
					"iamRolesToOverride": ["arn:a"],
					"preferredRole": "arn:b"}}}`,
			Response{
				IDToken: Claims{
					Add:      claims{"attribute_key": "attribute_value"},
					Suppress: []string{"email"},
				},
				Groups: &Groups{
					Names: []string{"group-A", "group-B"},
					Roles: []string{"arn:a"}, PreferredRole: "arn:b",
				},
			},
		},
		"version 2": {
			`{"claimsAndScopeOverrideDetails": {
				"idTokenGeneration": {
					"claimsToAddOrOverride": {"n": 9223372036854775807, "b": false},
					"claimsToSuppress": ["email", "phone_number"]},
				"accessTokenGeneration": {
					"claimsToAddOrOverride": {"o": {"a": [1, "x", true]}},
					"claimsToSuppress": ["email"],
					"scopesToAdd": ["openid"],
					"scopesToSuppress": ["phone", "aws.cognito.signin.user.admin"]},
				"groupOverrideDetails": {"groupsToOverride": ["new"]}}}`,
			Response{
				IDToken: Claims{
					Add:      claims{"n": json.Number("9223372036854775807"), "b": false},
					Suppress: []string{"email", "phone_number"},
				},
				AccessToken: Claims{
					Add:      claims{"o": claims{"a": []any{json.Number("1"), "x", true}}},
					Suppress: []string{"email"},
				},
				AddScopes:      []string{"openid"},
				SuppressScopes: []string{"phone", "aws.cognito.signin.user.admin"},
				Groups:         &Groups{Names: []string{"new"}},
			},
		},
		"empty": {`{"claimsAndScopeOverrideDetails": {}}`, Response{}},
		"empty parts": {
			`{"claimsAndScopeOverrideDetails": {
				"idTokenGeneration": {}, "accessTokenGeneration": {"scopesToAdd": []}}}`,
			Response{},
		},
		"null": {
			`{"claimsOverrideDetails": null, "claimsAndScopeOverrideDetails": {
				"idTokenGeneration": null,
				"accessTokenGeneration": {
					"claimsToAddOrOverride": null, "claimsToSuppress": null}}}`,
			Response{},
		},
		"no groups": {
			`{"claimsOverrideDetails": {"groupOverrideDetails": {"preferredRole": null}}}`,
			Response{Groups: &Groups{}},
		},
		"null, groups": {
			`{"claimsOverrideDetails": {"groupOverrideDetails": null}}`,
			Response{Groups: &Groups{}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestParseFaults: a fault names the member, and says what is allowed there.
func TestParseFaults(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // the beginning of each fault
	}{
		"nothing":    {``, []string{"the response: this is not JSON: unexpected end"}},
		"no JSON":    {`{"a"}`, []string{"the response: this is not JSON: invalid character"}},
		"two values": {`{} {}`, []string{"the response: this is not JSON: invalid character"}},
		"an array":   {`[]`, []string{"the response: use a JSON object"}},
		"null": {`null`, []string{
			"the response: use a member " + v1 + " (version V1_0) or " + v2 + " (V2_0, V3_0)"}},
		"no version": {`{}`, []string{"the response: use a member " + v1}},
		"two versions": {`{"claimsOverrideDetails": {}, "claimsAndScopeOverrideDetails": {}}`,
			[]string{"the response: use either " + v1 + " or " + v2}},
		"the event": {`{"response": {}}`,
			[]string{`the response: there is no member "response": use ` + v1 + ", " + v2}},
		"another case": {`{"ClaimsOverrideDetails": {}}`,
			[]string{`the response: there is no member "ClaimsOverrideDetails"`}},
		"access tokens in version 1": {`{"claimsOverrideDetails": {"accessTokenGeneration": {}}}`,
			[]string{v1 + `: there is no member "accessTokenGeneration": ` +
				`use claimsToAddOrOverride, claimsToSuppress, groupOverrideDetails`}},
		"values in version 1": {
			`{"claimsOverrideDetails": {"claimsToAddOrOverride": {"a": 1, "b": "x", "c": null}}}`,
			[]string{
				v1 + ".claimsToAddOrOverride.c: use a text, a number, a boolean, an array or an",
				v1 + ".claimsToAddOrOverride.a: use a text: other values need " + v2}},
		"a number too large": {
			`{"claimsAndScopeOverrideDetails": {
				"idTokenGeneration": {"claimsToAddOrOverride": {"a": {"b": [1e999]}}}}}`,
			[]string{v2 + ".idTokenGeneration.claimsToAddOrOverride.a: use a text, a number"}},
		"everywhere": {
			`{"claimsAndScopeOverrideDetails": {
				"idTokenGeneration": {
					"claimsToAddOrOverride": [], "claimsToSuppress": "email", "scopesToAdd": []},
				"accessTokenGeneration": {"scopesToAdd": [1], "scopesToSuppress": [""]},
				"groupOverrideDetails": {
					"groupsToOverride": {}, "iamRolesToOverride": [null], "preferredRole": [],
					"groups": []}}}`,
			[]string{
				v2 + `.idTokenGeneration: there is no member "scopesToAdd": ` +
					`use claimsToAddOrOverride, claimsToSuppress`,
				v2 + ".idTokenGeneration.claimsToSuppress: use a list of texts, none of which",
				v2 + ".idTokenGeneration.claimsToAddOrOverride: use a JSON object",
				v2 + ".accessTokenGeneration.scopesToAdd: use a list",
				v2 + ".accessTokenGeneration.scopesToSuppress: use a list",
				v2 + `.groupOverrideDetails: there is no member "groups": ` +
					`use groupsToOverride, iamRolesToOverride, preferredRole`,
				v2 + ".groupOverrideDetails.groupsToOverride: use a list",
				v2 + ".groupOverrideDetails.iamRolesToOverride: use a list",
				v2 + ".groupOverrideDetails.preferredRole: use a text"}},
		"not an object": {
			`{"claimsAndScopeOverrideDetails": {
				"idTokenGeneration": [], "groupOverrideDetails": true}}`,
			[]string{
				v2 + ".idTokenGeneration: use a JSON object",
				v2 + ".groupOverrideDetails: use a JSON object"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("it is taken as %+v", r)
			}
			if diff := cmp.Diff(Response{}, r); diff != "" {
				t.Errorf("a response beside the error: %s", diff)
			}
			lines := strings.Split(err.Error(), "\n")
			for i, want := range c.want {
				if i >= len(lines) || !strings.HasPrefix(lines[i], want) {
					t.Errorf("fault %d of %q does not start with %q", i+1, lines, want)
				}
			}
			if len(lines) != len(c.want) {
				t.Errorf("the faults are %q", lines)
			}
		})
	}
}

// FuzzParse: no file makes the parser panic. What it takes has values that fit into tokens, and
// texts where texts belong.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "null", "{}",
		`{"claimsOverrideDetails": {
			"claimsToAddOrOverride": {"a": "b"}, "groupOverrideDetails": null}}`,
		`{"claimsAndScopeOverrideDetails": {
			"idTokenGeneration": {"claimsToAddOrOverride": {"n": 1e999, "o": {"a": [null]}}},
			"accessTokenGeneration": {
				"claimsToSuppress": ["x"], "scopesToAdd": ["a", "b"], "scopesToSuppress": []},
			"groupOverrideDetails": {
				"groupsToOverride": ["A"], "iamRolesToOverride": [], "preferredRole": ""}}}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse([]byte(text))
		if err != nil {
			return
		}
		for _, c := range []Claims{r.IDToken, r.AccessToken} {
			for name, v := range c.Add {
				if v == nil {
					t.Errorf("the claim %q is null", name)
				}
			}
			text, err := json.Marshal(c.Add)
			if err == nil {
				err = json.Unmarshal(text, new(any))
			}
			if err != nil {
				t.Errorf("the claims %v: %v", c.Add, err)
			}
		}
		lists := [][]string{
			r.IDToken.Suppress, r.AccessToken.Suppress, r.AddScopes, r.SuppressScopes,
		}
		if r.Groups != nil {
			lists = append(lists, r.Groups.Names, r.Groups.Roles)
		}
		for _, list := range lists {
			for _, s := range list {
				if s == "" {
					t.Errorf("an empty text in %q", list)
				}
			}
		}
	})
}
