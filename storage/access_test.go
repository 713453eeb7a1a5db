package storage_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/storage"
)

// tokens is a source of the tokens of a user in groups.
type tokens struct {
	groups    []string
	preferred string // the role
}

func (s tokens) Tokens(context.Context, amplify.TokensInput) (*amplify.Tokens, error) {
	payload, err := json.Marshal(map[string]any{"cognito:preferred_role": s.preferred})
	if err != nil {
		return nil, err
	}
	raw := "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
	token := amplify.NewToken(raw, &amplify.Claims{Subject: "s", Groups: s.groups})
	return &amplify.Tokens{AccessToken: token, IDToken: token}, nil
}

// rules are access rules for several roles.
var rules = []amplify.PathAccess{
	{Pattern: "photos/*", Actions: map[string][]string{
		"guest": {"get"}, "authenticated": {"get", "list", "write"}, "groupsADMINS": {"get", "list", "write", "delete"},
	}},
	{Pattern: "photos/raw/*", Actions: map[string][]string{"groupsADMINS": {"get"}}},
	{Pattern: "private/${cognito-identity.amazonaws.com:sub}/*", Actions: map[string][]string{
		"entityidentity": {"get", "list", "write", "delete"},
	}},
}

// TestAccessDenied: an error of S3 comes with what the outputs say.
func TestAccessDenied(t *testing.T) {
	s := newFakeS3(t)
	s.refuse = func(string, string) string { return "AccessDenied" }
	user, admin := tokens{}, tokens{[]string{"USERS", "ADMINS"}, "arn:aws:iam::1:role/x"}
	get := func(path string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: storage.Path(path)})
			return err
		}
	}
	list := func(path string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := storage.List(ctx, storage.ListInput{Path: storage.Path(path)})
			return err
		}
	}
	remove := func(ctx context.Context) error {
		_, err := storage.Remove(ctx, storage.RemoveInput{Path: storage.Path("photos/a")})
		return err
	}
	backup := func(ctx context.Context) error {
		_, err := storage.List(ctx, storage.ListInput{Path: storage.Path("a/"), Bucket: storage.Bucket{Name: "backup"}})
		return err
	}
	duplicate := func(from, to string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := storage.Copy(ctx, storage.CopyInput{
				Source: storage.CopySource{Path: storage.Path(from)}, Destination: storage.CopyDestination{Path: storage.Path(to)},
			})
			return err
		}
	}
	const no, maybe = amplify.ReasonNoAccessRule, amplify.ReasonMissingOrForbidden
	for _, c := range []struct {
		name   string
		tokens amplify.TokenProvider
		call   func(context.Context) error
		reason amplify.Reason
		text   []string
	}{
		{"missing, or forbidden", nil, get("photos/a"), maybe, []string{`"photos/*" allows guests to get "photos/a"`, "may not exist"}},
		{"no path", nil, get("a"), no, []string{`allows guests to get "a"`, "No path covers it"}},
		{"another's right", nil, list("photos/"), no, []string{`allows guests to list "photos/"`, `"photos/*" allows it to authenticated, groupsADMINS`}},
		{"the slash", user, list("photos"), no, []string{`Write "photos/", with the slash`}},
		{"taken away", user, get("photos/raw/a"), no, []string{"signed-in users", `"photos/raw/*" takes that away`}},
		{"own path", user, get("private/me/a"), maybe, []string{`"private/${cognito-identity.amazonaws.com:sub}/*" allows signed-in users`}},
		{"another's path", user, get("private/them/a"), no, []string{"No path covers it"}},
		{"own path of a group", admin, get("private/me/a"), no, []string{`the group "ADMINS"`, "allows it to entityidentity"}},
		{"a group", admin, get("photos/raw/a"), maybe, []string{`allows the group "ADMINS" to get "photos/raw/a"`}},
		{"a group without a role of its own", tokens{[]string{"ADMINS"}, ""}, get("photos/raw/a"), no, []string{"signed-in users"}},
		{"list", user, list("photos/"), maybe, []string{`list "photos/". The outputs may not be`}},
		{"deletion", user, remove, no, []string{`signed-in users to delete "photos/a"`, "groupsADMINS"}},
		{"source of a copy", user, duplicate("photos/raw/a", "photos/b"), no, []string{`get "photos/raw/a"`}},
		{"destination of a copy", user, duplicate("photos/a", "b"), no, []string{`write "b"`}},
		{"copy", user, duplicate("photos/a", "photos/b"), maybe, []string{`get "photos/a", and`, `write "photos/b"`}},
		{"no rules", user, backup, "", []string{`no access rules for the bucket "backup"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config(rules...)
			cfg.Auth = &amplify.AuthConfig{
				UserPoolID: "eu-west-1_A", UserPoolClientID: "c", Groups: []amplify.GroupConfig{{Name: "USERS", Precedence: 5}, {Name: "ADMINS", Precedence: 1}},
			}
			credentials := s.credentials("me")
			ctx, done := amplify.WithServerContext(t.Context(), s.app(t, cfg), amplify.Providers{
				Tokens:      c.tokens,
				Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
			})
			defer done()
			err := c.call(ctx)
			var e *amplify.Error
			if !errors.As(err, &e) || e.Name != "AccessDenied" || e.Reason != c.reason || e.RequestID != "R1" {
				t.Fatalf("%#v", err)
			}
			for _, text := range c.text {
				if !strings.Contains(e.RecoverySuggestion, text) {
					t.Errorf("%q is not in: %s", text, e.RecoverySuggestion)
				}
			}
			if c.reason != "" && !strings.Contains(err.Error(), e.RecoverySuggestion) {
				t.Errorf("the text lacks the suggestion: %v", err)
			}
		})
	}
}

func TestLocations(t *testing.T) {
	s := newFakeS3(t)
	app := s.app(t, config(rules...))
	all := []string{"get", "list", "write", "delete"}
	for name, c := range map[string]struct {
		tokens amplify.TokenProvider
		want   []storage.Location
	}{
		"guest": {nil, []storage.Location{{"drive", "photos/*", all[:1]}, {"drive", "photos/raw/*", nil}}},
		"user":  {tokens{}, []storage.Location{{"drive", "photos/*", all[:3]}, {"drive", "photos/raw/*", nil}, {"drive", "private/me/*", all}}},
		"admin": {tokens{[]string{"ADMINS"}, "role"}, []storage.Location{{"drive", "photos/*", all}, {"drive", "photos/raw/*", all[:1]}}},
	} {
		credentials := s.credentials("me")
		ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{
			Tokens:      c.tokens,
			Credentials: credentialsFunc(func() (*amplify.Credentials, error) { return credentials, nil }),
		})
		got, err := storage.Locations(ctx)
		done()
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, d)
		}
	}
	if calls := s.took(); len(calls) > 0 {
		t.Errorf("S3 was called: %q", calls)
	}
}
