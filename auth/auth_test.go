package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/auth"
)

// source is a token source of one's own.
type source struct {
	tokens *amplify.Tokens
	err    error
	asked  amplify.TokensInput
}

func (s *source) Tokens(_ context.Context, in amplify.TokensInput) (*amplify.Tokens, error) {
	s.asked = in
	return s.tokens, s.err
}

// credentials is a credentials source of one's own.
type credentials struct {
	credentials *amplify.Credentials
	err         error
}

func (c credentials) Credentials(context.Context, amplify.CredentialsInput) (*amplify.Credentials, error) {
	return c.credentials, c.err
}

// in returns a context whose tokens and credentials come from p. The App has no user pool.
func in(t *testing.T, p amplify.Providers) context.Context {
	t.Helper()
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(t.Context(), app, p)
	t.Cleanup(done)
	return ctx
}

// token returns a token as a source that has verified it would give it.
func token(t *testing.T, payload map[string]any, claims amplify.Claims) *amplify.Token {
	t.Helper()
	b, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return amplify.NewToken("e30."+base64.RawURLEncoding.EncodeToString(b)+".c2ln", &claims)
}

// TestOwnTokenSource: the APIs need no user pool in the configuration where tokens come from
// elsewhere.
func TestOwnTokenSource(t *testing.T) {
	details := &amplify.SignInDetails{LoginID: "a@b.com"}
	s := &source{tokens: &amplify.Tokens{
		AccessToken:   token(t, nil, amplify.Claims{Subject: "s", Username: "alice"}),
		IDToken:       token(t, nil, amplify.Claims{Subject: "s", Username: "alice", Name: "Alice", Email: "a@b.com"}),
		SignInDetails: details,
	}}
	ctx := in(t, amplify.Providers{Tokens: s})
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(&auth.User{Username: "alice", UserID: "s", Name: "Alice", Email: "a@b.com", SignInDetails: details}, user); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{ForceRefresh: true, ClientMetadata: map[string]string{"a": "b"}})
	if err != nil || session.Tokens != s.tokens || session.UserSub != "s" || session.Unauthenticated != nil {
		t.Errorf("%+v, %v", session, err)
	}
	if d := cmp.Diff(amplify.TokensInput{ForceRefresh: true, ClientMetadata: map[string]string{"a": "b"}}, s.asked); d != "" {
		t.Errorf("asked for (-want +got)\n%s", d)
	}
}

func TestAppClientIsNoUser(t *testing.T) {
	ctx := in(t, amplify.Providers{Tokens: &source{tokens: &amplify.Tokens{AccessToken: token(t, nil, amplify.Claims{Subject: "client"})}}})
	if user, err := auth.GetCurrentUser(ctx); !errors.Is(err, amplify.ErrUnauthenticated) {
		t.Errorf("%+v, %v", user, err)
	}
}

// TestWhoIsMissing: that nobody is signed in is an empty session that says why; that it cannot be
// told is an error.
func TestWhoIsMissing(t *testing.T) {
	unavailable := &amplify.Error{Name: "TooManyRequestsException", Reason: amplify.ReasonServiceUnavailable}
	deleted := &amplify.Error{Name: "UserNotFoundException", Reason: amplify.ReasonRefreshRejected, Err: amplify.Unauthenticated(amplify.ReasonRefreshRejected, nil)}
	for _, c := range []struct {
		name    string
		err     error
		isError bool
	}{
		{"signed out", amplify.Unauthenticated(amplify.ReasonUserMismatch, nil), false},
		{"throttled", unavailable, true},
		{"deleted", deleted, true},
		{"a source of one's own", errors.New("mine"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := in(t, amplify.Providers{Tokens: &source{err: c.err}})
			s, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
			switch {
			case c.isError && !errors.Is(err, c.err):
				t.Errorf("%+v, %v; want %v", s, err, c.err)
			case !c.isError && (err != nil || s.Tokens != nil || s.UserSub != "" || !errors.Is(s.Unauthenticated, c.err)):
				t.Errorf("%+v, %v; want a session that says %v", s, err, c.err)
			}
			if _, err := auth.GetCurrentUser(ctx); !errors.Is(err, c.err) {
				t.Errorf("GetCurrentUser: %v", err)
			}
		})
	}
}

func TestSessionCredentials(t *testing.T) {
	given := &amplify.Credentials{AccessKeyID: "ASIA", IdentityID: "eu-west-1:guest"}
	s, err := auth.FetchAuthSession(in(t, amplify.Providers{Credentials: credentials{credentials: given}}), auth.FetchAuthSessionInput{})
	if err != nil || s.Credentials != given || s.IdentityID != "eu-west-1:guest" || s.Tokens != nil {
		t.Errorf("%+v, %v", s, err)
	}
	refused := &amplify.Error{Name: "NotAuthorizedException"}
	if _, err := auth.FetchAuthSession(in(t, amplify.Providers{Credentials: credentials{err: refused}}), auth.FetchAuthSessionInput{}); !errors.Is(err, refused) {
		t.Errorf("err = %v", err)
	}
}

// TestAttributesOfIDToken: without the scope for GetUser, the attributes are the ID token's, as
// texts.
func TestAttributesOfIDToken(t *testing.T) {
	tokens := &amplify.Tokens{
		AccessToken: token(t, nil, amplify.Claims{Subject: "s", Scopes: []string{"openid", "email"}}),
		IDToken: token(t, map[string]any{
			"sub": "s", "email": "a@b.com", "email_verified": true, "custom:plan": `pro "x"`, "updated_at": "1700000000",
			"address": map[string]any{"formatted": "1 Road"}, "identities": []any{map[string]any{"userId": "7"}},
			"cognito:groups": []string{"admin"}, "cognito:username": "alice", "iss": "i", "aud": "c", "exp": 1, "iat": 1,
			"token_use": "id", "origin_jti": "o", "event_id": "e", "lambda": "x",
		}, amplify.Claims{Subject: "s", Username: "alice"}),
	}
	got, err := auth.FetchUserAttributes(in(t, amplify.Providers{Tokens: &source{tokens: tokens}}))
	if err != nil {
		t.Fatal(err)
	}
	want := auth.UserAttributes{
		"sub": "s", "email": "a@b.com", "email_verified": "true", "custom:plan": `pro "x"`, "updated_at": "1700000000",
		"address": "1 Road", "identities": `[{"userId":"7"}]`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}

	tokens.IDToken = nil
	_, err = auth.FetchUserAttributes(in(t, amplify.Providers{Tokens: &source{tokens: tokens}}))
	if amplify.ReasonOf(err) != amplify.ReasonMissingScope {
		t.Errorf("without an ID token: %v", err)
	}
}

// TestWithoutServerContext: every function says what is missing, and that an operation has
// returned.
func TestWithoutServerContext(t *testing.T) {
	kept := keptContext(t)
	for name, call := range map[string]func(context.Context) error{
		"GetCurrentUser":      func(ctx context.Context) error { _, err := auth.GetCurrentUser(ctx); return err },
		"FetchUserAttributes": func(ctx context.Context) error { _, err := auth.FetchUserAttributes(ctx); return err },
		"FetchAuthSession": func(ctx context.Context) error {
			_, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
			return err
		},
	} {
		if err := call(t.Context()); amplify.ReasonOf(err) != amplify.ReasonNoContext {
			t.Errorf("%s without a server context: %v", name, err)
		}
		if err := call(kept); !errors.Is(err, amplify.ErrServerContextClosed) {
			t.Errorf("%s after the operation: %v", name, err)
		}
	}
}

// TestAWSCredentials: the credentials are what clients of the AWS SDK take, renewed as the source
// renews them, and end with the server context.
func TestAWSCredentials(t *testing.T) {
	source := &credentials{credentials: &amplify.Credentials{
		AccessKeyID: "ASIA1", SecretAccessKey: amplify.NewSecret("secret"), SessionToken: amplify.NewSecret("session"),
		Expires: time.Date(2026, 3, 1, 13, 0, 0, 0, time.UTC), IdentityID: "eu-west-1:g",
	}}
	app, err := amplify.New(amplify.Config{}, amplify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(t.Context(), app, amplify.Providers{Credentials: source})
	session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
	if err != nil {
		t.Fatal(err)
	}
	want := aws.Credentials{
		AccessKeyID: "ASIA1", SecretAccessKey: "secret", SessionToken: "session", Source: "Amplify",
		CanExpire: true, Expires: source.credentials.Expires,
	}
	if got := session.AWSCredentials(); got != want || session.IdentityID != "eu-west-1:g" {
		t.Error("other credentials than the session's")
	}
	provider := session.AWSCredentialsProvider()
	if got, err := provider.Retrieve(t.Context()); err != nil || got != want {
		t.Errorf("other credentials than the session's, %v", err)
	}
	source.credentials.AccessKeyID, want.AccessKeyID = "ASIA2", "ASIA2"
	if got, err := provider.Retrieve(t.Context()); err != nil || got != want {
		t.Errorf("other credentials than the source's, %v", err)
	}
	source.credentials = nil
	if _, err := provider.Retrieve(t.Context()); amplify.ReasonOf(err) != amplify.ReasonConfiguration {
		t.Errorf("without credentials: %v", err)
	}
	done()
	if _, err := provider.Retrieve(t.Context()); !errors.Is(err, amplify.ErrServerContextClosed) {
		t.Errorf("after the request: %v", err)
	}
	none := &auth.Session{}
	if none.AWSCredentials().HasKeys() {
		t.Error("keys without credentials")
	}
	if _, err := none.AWSCredentialsProvider().Retrieve(t.Context()); err == nil {
		t.Error("credentials of nobody")
	}
}
