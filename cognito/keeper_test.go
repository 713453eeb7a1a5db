package cognito_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/internal/awsapi"
	"github.com/amplify-go/amplify/internal/testpool"
)

// issued returns tokens of u as a sign-in yields them.
func issued(pool *testpool.Pool, u testpool.User, refresh string, edits ...testpool.Claim) amplify.IssuedTokens {
	return amplify.IssuedTokens{
		AccessToken:  amplify.NewSecret(pool.Access(u, edits...)),
		IDToken:      amplify.NewSecret(pool.ID(u, edits...)),
		RefreshToken: amplify.NewSecret(refresh),
	}
}

// signIn names the sign-in that tokens descend from.
func signIn(name string) testpool.Claim { return testpool.Claim{Name: "origin_jti", Value: name} }

// wantNow expects the user of p's tokens, or the reason why there are none.
func wantNow(t *testing.T, p amplify.Providers, sub string, reason amplify.Reason) {
	t.Helper()
	got, err := p.Tokens.Tokens(t.Context(), amplify.TokensInput{})
	switch {
	case amplify.ReasonOf(err) != reason:
		t.Errorf("reason %q (%v), want %q", amplify.ReasonOf(err), err, reason)
	case err == nil && got.AccessToken.Claims().Subject != sub:
		t.Errorf("tokens of %s, want %s", got.AccessToken.Claims().Subject, sub)
	}
}

// TestStartAndEndInOneRequest: a request sees the session that it starts, and none after it has
// ended it, whatever it saw before.
func TestStartAndEndInOneRequest(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := &storage{}
	p := c.Providers(kv)
	wantNow(t, p, "", amplify.ReasonNoSession)
	nobody := p.Session.Lifetime()
	if err := p.Session.Start(t.Context(), issued(pool, alice, "r1")); err != nil {
		t.Fatal(err)
	}
	wantNow(t, p, alice.Sub, "")
	if reason := amplify.ReasonOf(context.Cause(nobody)); reason != amplify.ReasonSessionReplaced {
		t.Errorf("what was handed out before the start: %v", context.Cause(nobody))
	}
	if err := p.Session.Start(t.Context(), issued(pool, bob, "r2")); err != nil {
		t.Fatal(err)
	}
	wantNow(t, p, bob.Sub, "")
	if got := kv.get(""); len(got) != 4 {
		t.Errorf("%d values are kept, want those of one session", len(got))
	}
	bobs := p.Session.Lifetime()
	if err := p.Session.End(t.Context(), amplify.EndInput{}); err != nil {
		t.Fatal(err)
	}
	wantNow(t, p, "", amplify.ReasonSignedOut)
	if cause := context.Cause(bobs); !errors.Is(cause, amplify.ErrUnauthenticated) || amplify.ReasonOf(cause) != amplify.ReasonSignedOut {
		t.Errorf("what was handed out before the end: %v", cause)
	}
	if got := kv.get(""); len(got) > 0 {
		t.Errorf("%d values are left", len(got))
	}
	if got := pool.Revoked(); !slices.Equal(got, []string{"r2"}) {
		t.Errorf("revoked %q", got)
	}
	if err := p.Session.Start(t.Context(), issued(pool, alice, "r3")); err != nil {
		t.Fatal(err)
	}
	wantNow(t, p, alice.Sub, "")
}

// TestHandedOutCredentialsEnd: credentials that were handed out end with the session that they
// belong to, and never become those of the next one.
func TestHandedOutCredentialsEnd(t *testing.T) {
	pool := testpool.New(t)
	c := newIdentityCognito(t, pool, cognito.Options{})
	kv := signedIn(pool, alice)
	app, err := amplify.New(pool.IdentityConfig(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	ctx, done := amplify.WithServerContext(t.Context(), app, c.Providers(kv))
	defer done()
	sc, err := amplify.FromContext(ctx)
	if err != nil {
		t.Fatal(err)
	}
	alices := awsapi.Credentials(sc)
	if got, err := alices.Retrieve(ctx); err != nil || !got.HasKeys() {
		t.Fatalf("no credentials: %v", err)
	}
	if err := sc.StartSession(ctx, issued(pool, bob, "", signIn("bob"))); err != nil {
		t.Fatal(err)
	}
	if got, err := alices.Retrieve(ctx); err == nil || got.HasKeys() {
		t.Error("after another user has signed in: credentials")
	}
	bobs := awsapi.Credentials(sc)
	if _, err := bobs.Retrieve(ctx); err != nil {
		t.Fatal(err)
	}
	if err := sc.EndSession(ctx, amplify.EndInput{}); err != nil {
		t.Fatal(err)
	}
	if got, err := bobs.Retrieve(ctx); amplify.ReasonOf(err) != amplify.ReasonSignedOut || got.HasKeys() {
		t.Errorf("after the sign-out: %v", err)
	}
}

// TestReadOnlySessions: where nothing can be written no service is asked.
func TestReadOnlySessions(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), pool.ID(alice), "r1")
	kv.readOnly = true
	p := c.Providers(kv)
	if err := p.Session.Start(t.Context(), issued(pool, bob, "r2")); amplify.ReasonOf(err) != amplify.ReasonReadOnly {
		t.Errorf("start: %v", err)
	}
	if err := p.Session.End(t.Context(), amplify.EndInput{Global: true}); amplify.ReasonOf(err) != amplify.ReasonReadOnly {
		t.Errorf("end: %v", err)
	}
	if n := pool.KeyFetches("cognito-idp.eu-west-1.amazonaws.com"); n != 0 || len(pool.Revoked()) != 0 {
		t.Errorf("%d fetches, revoked %q", n, pool.Revoked())
	}
	wantNow(t, p, alice.Sub, "")
}

// TestStartRefuses: nothing is kept of tokens that make no session.
func TestStartRefuses(t *testing.T) {
	pool := testpool.New(t)
	good := issued(pool, alice, "r")
	with := func(change func(*amplify.IssuedTokens)) amplify.IssuedTokens {
		tokens := good
		change(&tokens)
		return tokens
	}
	large := strings.Repeat("x", 16<<10)
	for name, test := range map[string]struct {
		tokens amplify.IssuedTokens
		reason amplify.Reason
	}{
		"no ID token":  {with(func(t *amplify.IssuedTokens) { t.IDToken = amplify.Secret{} }), amplify.ReasonConfiguration},
		"of two users": {with(func(t *amplify.IssuedTokens) { t.IDToken = amplify.NewSecret(pool.ID(bob)) }), amplify.ReasonUserMismatch},
		"forged": {with(func(t *amplify.IssuedTokens) {
			t.AccessToken = amplify.NewSecret(t.AccessToken.Reveal()[:900] + "AAAA")
		}),
			amplify.ReasonMalformedToken},
		"swapped": {with(func(t *amplify.IssuedTokens) { t.AccessToken, t.IDToken = t.IDToken, t.AccessToken }), amplify.ReasonWrongTokenUse},
		"too large": {with(func(t *amplify.IssuedTokens) {
			t.IDToken = amplify.NewSecret(pool.ID(alice, testpool.Claim{Name: "custom:x", Value: large}))
		}), amplify.ReasonTokenTooLarge},
	} {
		kv := &storage{}
		err := newCognito(t, pool, cognito.Options{}).Providers(kv).Session.Start(t.Context(), test.tokens)
		if amplify.ReasonOf(err) != test.reason || len(kv.entries) > 0 {
			t.Errorf("%s: %v, kept %d values", name, err, len(kv.entries))
		}
	}
}

// TestStartWithoutRefreshToken: the refresh token of an earlier session of the user is not kept
// beside tokens that came without one.
func TestStartWithoutRefreshToken(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), pool.ID(alice), "old")
	if err := c.Providers(kv).Session.Start(t.Context(), issued(pool, alice, "", signIn("second"))); err != nil {
		t.Fatal(err)
	}
	wantUser(t, c, kv, alice)
	if got := kv.get("alice.refreshToken"); len(got) > 0 {
		t.Errorf("kept %q", got)
	}
}

// TestStartPurges: the values of other users and of former clients go when a session is written,
// except the devices that MFA remembers.
func TestStartPurges(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{ForgetClients: []string{"formerclient"}})
	kv := session(bob, "x", "y", "z").add("bob.deviceKey", "d").add("alice.clockDrift", "1").add("LastAuthUser", "zoe")
	kv.add("zoe.randomPasswordKey", strings.Repeat("x", 4<<10)).add("alice.deviceGroupKey", strings.Repeat("g", 3<<10))
	kv.entries = append(kv.entries,
		[2]string{"CognitoIdentityServiceProvider.formerclient.zoe.deviceKey", "1"},
		[2]string{"CognitoIdentityServiceProvider.otherclient.zoe.idToken", "1"})
	if err := c.Providers(kv).Session.Start(t.Context(), issued(pool, alice, "r1")); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, e := range kv.entries {
		keys = append(keys, strings.TrimPrefix(e[0], testpool.Prefix))
	}
	slices.Sort(keys)
	want := []string{
		"CognitoIdentityServiceProvider.otherclient.zoe.idToken", "LastAuthUser",
		"alice.accessToken", "alice.clockDrift", "alice.deviceGroupKey", "alice.idToken", "alice.refreshToken", "bob.deviceKey",
	}
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestEndSparesDevices: up to 2 KiB of them.
func TestEndSparesDevices(t *testing.T) {
	pool := testpool.New(t)
	c := newCognito(t, pool, cognito.Options{})
	kv := session(alice, pool.Access(alice), pool.ID(alice), "r1").add("alice.deviceKey", "d").add("bob.deviceGroupKey", "g")
	kv.add("zoe.randomPasswordKey", strings.Repeat("x", 2<<10)).add("alice.signInDetails", "{}").add("bob.clockDrift", "0")
	signOut(t, c, kv)
	want := [][2]string{{testpool.Prefix + "alice.deviceKey", "d"}, {testpool.Prefix + "bob.deviceGroupKey", "g"}}
	if d := cmp.Diff(want, kv.entries); d != "" {
		t.Errorf("left (-want +got)\n%s", d)
	}
}

// TestEndedTokensAreRefused: after a sign-out the tokens of that sign-in are refused until they
// expire, under every name, in every pair, as cookies and as bearer tokens; others are not.
func TestEndedTokensAreRefused(t *testing.T) {
	for name, lineage := range map[string][2]testpool.Claim{
		"by origin_jti": {signIn("first"), signIn("second")},
		"by hash":       {{Name: "origin_jti"}, {Name: "origin_jti"}},
	} {
		t.Run(name, func(t *testing.T) {
			pool := testpool.New(t)
			c := newCognito(t, pool, cognito.Options{})
			access, id := pool.Access(alice, lineage[0]), pool.ID(alice, lineage[0])
			other := testpool.Claim{Name: "jti", Value: "other"}
			otherAccess, otherID := pool.Access(alice, lineage[1], other), pool.ID(alice, lineage[1], other)
			wantUser(t, c, session(alice, access, id, ""), alice)
			signOut(t, c, session(alice, access, id, ""))
			for _, user := range []testpool.User{alice, {Name: "a@b.com"}} {
				kv := session(user, access, id, "r1")
				wantReason(t, c, kv, amplify.ReasonSignedOut)
				if len(kv.entries) > 0 {
					t.Errorf("%d values are left", len(kv.entries))
				}
				wantReason(t, c, session(user, otherAccess, id, ""), amplify.ReasonSignedOut)
				wantReason(t, c, session(user, access, otherID, ""), amplify.ReasonSignedOut)
			}
			if _, err := c.BearerTokenProvider(access).Tokens(t.Context(), amplify.TokensInput{}); amplify.ReasonOf(err) != amplify.ReasonSignedOut {
				t.Errorf("bearer: %v", err)
			}
			wantUser(t, c, session(alice, otherAccess, otherID, ""), alice)
			if err := c.Providers(&storage{}).Session.Start(t.Context(), amplify.IssuedTokens{
				AccessToken: amplify.NewSecret(access), IDToken: amplify.NewSecret(id),
			}); amplify.ReasonOf(err) != amplify.ReasonSignedOut {
				t.Errorf("start: %v", err)
			}
			if len(pool.Refreshes()) != 0 {
				t.Error("the user pool was asked")
			}
		})
	}
}

// TestLeakedTokensEndNothing: tokens that have expired and leaked do not let anybody sign their
// user out, unless the refresh token beside them is theirs.
func TestLeakedTokensEndNothing(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	leaked := func(refresh string) *storage { return expired(pool, alice, refresh) }
	kv := leaked("r1")
	wantUser(t, c, kv, alice)
	signOut(t, c, leaked("made-up"))
	wantUser(t, c, kv, alice)
	wantUser(t, c, session(alice, pool.Access(alice), pool.ID(alice), ""), alice)
	// What was presented has ended.
	wantReason(t, c, leaked("made-up"), amplify.ReasonSignedOut)
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
	signOut(t, c, leaked("r1"))
	wantReason(t, c, kv, amplify.ReasonSignedOut)
}

// TestRevocation: what is revoked at a sign-out, and what its failure means.
func TestRevocation(t *testing.T) {
	pool := testpool.New(t)
	access, id := pool.Access(alice), pool.ID(alice)
	forged := pool.Sign("rogue", map[string]any{"token_use": "access", "client_id": testpool.Client, "username": "alice"}, alice, nil)
	old := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 1}
	without := testpool.Claim{Name: "origin_jti"}
	refused := func(name string) testpool.Answer { return testpool.Refused(http.StatusBadRequest, name, "no") }
	many := &storage{}
	for i := range 6 {
		u := testpool.User{Sub: fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i), Name: fmt.Sprintf("u%d", i)}
		if i < 3 {
			many.add("LastAuthUser", u.Name)
		}
		many.add(u.Name+".accessToken", pool.Access(u)).add(u.Name+".idToken", pool.ID(u)).add(u.Name+".refreshToken", fmt.Sprintf("r%d", i))
	}
	planted := session(alice, access, id, "")
	for i := range 100 {
		planted.add("alice.refreshToken", fmt.Sprintf("p%d", i))
	}
	for name, test := range map[string]struct {
		kv     *storage
		answer testpool.Answer
		want   []string
		fails  bool
	}{
		"a session":              {kv: session(alice, access, id, "r1"), want: []string{"r1"}},
		"an expired session":     {kv: session(alice, pool.Access(alice, old), pool.ID(alice, old), "r1"), want: []string{"r1"}},
		"the access token alone": {kv: session(alice, access, "", "r1"), want: []string{"r1"}},
		"planted in front": {kv: session(testpool.User{Name: "a"}, forged, id, "planted-1").add("LastAuthUser", "b").add("b.refreshToken", "planted-2").
			add("LastAuthUser", "alice").add("alice.accessToken", access).add("alice.idToken", id).add("alice.refreshToken", "r1"),
			want: []string{"r1"}},
		"of others too": {kv: session(alice, access, id, "r1").add("bob.accessToken", pool.Access(bob)).add("bob.idToken", pool.ID(bob)).add("bob.refreshToken", "r2"),
			want: []string{"r1", "r2"}},
		"of many": {kv: many, want: []string{"r0", "r1", "r2"}},
		"beside planted ones": {kv: session(alice, access, id, "p1").add("alice.refreshToken", "p2").add("alice.refreshToken", "p3").add("alice.refreshToken", "r1"),
			want: []string{"p1", "p2", "p3", "r1"}},
		"beside too many":        {kv: planted, want: []string{"p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"}},
		"alone":                  {kv: session(alice, "", "", "r1").add("bob.refreshToken", "r2").add("zoe.refreshToken", "r3"), want: []string{"r1"}},
		"beside forged tokens":   {kv: session(alice, forged, id, "r1"), want: []string{"r1"}},
		"what is no token":       {kv: session(alice, access, id, "a b"), want: nil},
		"refused":                {kv: session(alice, access, id, "r1"), answer: refused("UnsupportedTokenTypeException"), want: []string{"r1"}, fails: true},
		"without revocation":     {kv: session(alice, access, id, "r1"), answer: refused("UnsupportedOperationException"), want: []string{"r1"}},
		"tokens without lineage": {kv: session(alice, pool.Access(alice, without), pool.ID(alice, without), "r1"), answer: refused("InvalidParameterException"), want: []string{"r1"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(pool.Revoked())
			pool.OnRevoke(nil)
			if test.answer.Status != 0 {
				pool.OnRevoke(func(map[string]any) testpool.Answer { return test.answer })
			}
			c := newCognito(t, pool, cognito.Options{})
			err := c.Providers(test.kv).Session.End(t.Context(), amplify.EndInput{})
			if (err != nil) != test.fails {
				t.Errorf("err = %v", err)
			}
			if got := slices.Sorted(slices.Values(pool.Revoked()[before:])); !slices.Equal(got, test.want) {
				t.Errorf("revoked %q, want %q", got, test.want)
			}
			if len(test.kv.entries) > 0 {
				t.Errorf("%d values are left", len(test.kv.entries))
			}
		})
	}
}

// TestRevocationEndpoint: where there is managed login, its endpoint revokes.
func TestRevocationEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		fails  bool
	}{
		"done":               {200, "", false},
		"without revocation": {400, `{"error":"invalid_request"}`, false},
		"unsupported":        {400, `{"error":"unsupported_token_type"}`, true},
		"wrong client":       {400, `{"error":"invalid_client"}`, true},
		"down":               {503, "", true},
		"a page":             {404, "<html>", true},
	} {
		t.Run(name, func(t *testing.T) {
			pool := testpool.New(t)
			cfg, o := pool.Config(), pool.Options()
			cfg.Auth.OAuth = &amplify.OAuthConfig{Domain: "auth.example.test"}
			var got []string
			o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.URL.Host != "auth.example.test" {
					return pool.RoundTrip(r)
				}
				user, password, _ := r.BasicAuth()
				body, err := io.ReadAll(r.Body)
				got = append(got, r.URL.String(), user+":"+password, string(body))
				return &http.Response{StatusCode: test.status, Body: io.NopCloser(strings.NewReader(test.body)), Request: r}, err
			})
			c := newCognitoFor(t, cfg, o, cognito.Options{ClientSecret: amplify.NewSecret("s3/cret")})
			kv := session(alice, pool.Access(alice), pool.ID(alice), "r1")
			if err := c.Providers(kv).Session.End(t.Context(), amplify.EndInput{}); (err != nil) != test.fails {
				t.Errorf("err = %v", err)
			}
			want := []string{"https://auth.example.test/oauth2/revoke", testpool.Client + ":s3%2Fcret", "client_id=" + testpool.Client + "&token=r1"}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if len(kv.entries) > 0 {
				t.Errorf("%d values are left", len(kv.entries))
			}
		})
	}
}

// TestGlobalSignOut: with tokens that have expired, too.
func TestGlobalSignOut(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	kv := expired(pool, alice, "r1")
	if err := c.Providers(kv).Session.End(t.Context(), amplify.EndInput{Global: true}); err != nil {
		t.Fatal(err)
	}
	if got := pool.Revoked(); !slices.Equal(got, []string{"global", "r2"}) || len(kv.entries) > 0 {
		t.Errorf("revoked %q, %d values are left", got, len(kv.entries))
	}
	if err := c.Providers(&storage{}).Session.End(t.Context(), amplify.EndInput{Global: true}); !errors.Is(err, amplify.ErrUnauthenticated) {
		t.Errorf("without a session: %v", err)
	}
}

// TestRefreshOutgrowsTheCookies: a session whose new tokens its storage cannot take ends, once, and
// says why.
func TestRefreshOutgrowsTheCookies(t *testing.T) {
	pool := testpool.New(t)
	rotating(pool, alice)
	c := newCognito(t, pool, cognito.Options{})
	kv := &small{expired(pool, alice, "r1")}
	for range 2 {
		_, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{})
		if !errors.Is(err, amplify.ErrUnauthenticated) {
			t.Fatalf("err = %v", err)
		}
		if reason := amplify.ReasonOf(err); reason != amplify.ReasonTokenTooLarge && reason != amplify.ReasonNoSession {
			t.Errorf("reason %s", reason)
		}
		if len(kv.entries) > 0 {
			t.Errorf("%d values are left", len(kv.entries))
		}
	}
	if n := len(pool.Refreshes()); n != 1 {
		t.Errorf("%d refreshes, want 1", n)
	}
}

// small is a storage that keeps no new tokens.
type small struct{ *storage }

type tooLarge struct{}

func (tooLarge) Error() string  { return "too large" }
func (tooLarge) ValueTooLarge() {}

func (s *small) Set(key, value string) error {
	if len(value) > 100 {
		return tooLarge{}
	}
	return s.storage.Set(key, value)
}

func (s *small) SetAll(entries ...[2]string) error {
	for _, e := range entries {
		if len(e[1]) > 100 {
			return tooLarge{}
		}
	}
	return nil
}

// TestCodes: a code is redeemed once, and its tokens follow the session.
func TestCodes(t *testing.T) {
	withCodes := func(t *testing.T) (*testpool.Pool, *cognito.Client) {
		pool := testpool.New(t)
		cfg := pool.Config()
		cfg.Auth.OAuth = &amplify.OAuthConfig{Domain: "auth.example.test"}
		o := pool.Options()
		o.HTTPClient.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/revoke") {
				return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
			}
			return pool.RoundTrip(r)
		})
		return pool, newCognitoFor(t, cfg, o, cognito.Options{})
	}
	grant := cognito.CodeGrant{Code: "code", State: "state", Verifier: "verifier", RedirectURI: "https://myapp.com/callback"}

	t.Run("twice", func(t *testing.T) {
		pool, c := withCodes(t)
		pool.OnExchange(func(url.Values) testpool.Answer { return pool.Exchanged(alice, "r1", signIn("first")) })
		rotating(pool, alice)
		kv := &storage{}
		start := func() error {
			tokens, err := c.ExchangeCode(t.Context(), grant)
			if err != nil {
				return err
			}
			return c.Providers(kv).Session.Start(t.Context(), tokens)
		}
		if err := errors.Join(start(), start()); err != nil {
			t.Fatal(err)
		}
		if n := len(pool.Exchanges()); n != 1 {
			t.Fatalf("%d exchanges, want 1", n)
		}
		// The session is refreshed: who comes back gets what is valid now.
		if _, err := c.TokenProvider(kv).Tokens(t.Context(), amplify.TokensInput{ForceRefresh: true}); err != nil {
			t.Fatal(err)
		}
		if err := start(); err != nil || !slices.Equal(kv.get("alice.refreshToken"), []string{"r2"}) {
			t.Errorf("%v, %q", err, kv.get("alice.refreshToken"))
		}
		// Another verifier or state has no right to it.
		pool.OnExchange(func(url.Values) testpool.Answer {
			return testpool.Answer{Status: 400, Body: map[string]any{"error": "invalid_grant"}}
		})
		for name, change := range map[string]func(*cognito.CodeGrant){
			"another verifier": func(g *cognito.CodeGrant) { g.Verifier = "x" },
			"another state":    func(g *cognito.CodeGrant) { g.State = "x" },
			"another code":     func(g *cognito.CodeGrant) { g.Code = "x" },
		} {
			other := grant
			change(&other)
			if _, err := c.ExchangeCode(t.Context(), other); amplify.ReasonOf(err) != amplify.ReasonCodeRefused {
				t.Errorf("%s: %v", name, err)
			}
		}
		// The user signs out: nobody comes back by the code.
		signOut(t, c, kv)
		if err := start(); err == nil {
			t.Error("a code opens a session that has ended")
		}
	})
	t.Run("side by side", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pool, c := withCodes(t)
			pool.OnExchange(func(url.Values) testpool.Answer {
				time.Sleep(time.Second)
				return pool.Exchanged(alice, "r1")
			})
			var all sync.WaitGroup
			for range 10 {
				all.Go(func() {
					if _, err := c.ExchangeCode(t.Context(), grant); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if n := len(pool.Exchanges()); n != 1 {
				t.Errorf("%d exchanges, want 1", n)
			}
		})
	})
	t.Run("refused", func(t *testing.T) {
		pool, c := withCodes(t)
		pool.OnExchange(func(url.Values) testpool.Answer {
			return testpool.Answer{Status: 400, Body: map[string]any{"error": "invalid_grant", "error_description": "secret"}}
		})
		for range 3 {
			_, err := c.ExchangeCode(t.Context(), grant)
			var e *amplify.Error
			if !errors.As(err, &e) || e.Name != "invalid_grant" || e.Reason != amplify.ReasonCodeRefused || strings.Contains(err.Error(), "secret") {
				t.Errorf("err = %v", err)
			}
		}
		if n := len(pool.Exchanges()); n != 1 {
			t.Errorf("%d exchanges, want 1", n)
		}
	})
	t.Run("not accepted", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pool, c := withCodes(t)
			pool.OnExchange(func(url.Values) testpool.Answer { return pool.Exchanged(alice, "r1") })
			refusal := errors.New("not this one")
			var called atomic.Int32
			grant := grant
			grant.Accept = func(_ context.Context, tokens amplify.IssuedTokens) error {
				called.Add(1)
				time.Sleep(time.Second)
				if got := tokens.RefreshToken.Reveal(); got != "r1" {
					t.Errorf("refresh token %q", got)
				}
				return refusal
			}
			redeem := func() {
				if tokens, err := c.ExchangeCode(t.Context(), grant); !errors.Is(err, refusal) || !tokens.AccessToken.IsZero() {
					t.Errorf("err = %v", err)
				}
			}
			var all sync.WaitGroup
			for range 10 {
				all.Go(redeem)
			}
			all.Wait()
			redeem()
			if n := called.Load(); n != 1 || len(pool.Exchanges()) != 1 {
				t.Errorf("asked %d times, %d exchanges", n, len(pool.Exchanges()))
			}
		})
	})
	t.Run("in trouble", func(t *testing.T) {
		pool, c := withCodes(t)
		answer := testpool.Answer{Status: 503}
		pool.OnExchange(func(url.Values) testpool.Answer { return answer })
		if _, err := c.ExchangeCode(t.Context(), grant); amplify.ReasonOf(err) != amplify.ReasonServiceUnavailable {
			t.Errorf("err = %v", err)
		}
		answer = pool.Exchanged(alice, "r1")
		if _, err := c.ExchangeCode(t.Context(), grant); err != nil {
			t.Error(err)
		}
	})
	t.Run("the client", func(t *testing.T) {
		pool, c := withCodes(t)
		pool.OnExchange(func(url.Values) testpool.Answer {
			return testpool.Answer{Status: 400, Body: map[string]any{"error": "invalid_client"}}
		})
		if _, err := c.ExchangeCode(t.Context(), grant); amplify.ReasonOf(err) != amplify.ReasonConfiguration {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("late", func(t *testing.T) {
		pool, c := withCodes(t)
		pool.OnExchange(func(url.Values) testpool.Answer { return pool.Exchanged(alice, "r1") })
		for range 2 {
			if _, err := c.ExchangeCode(t.Context(), grant); err != nil {
				t.Fatal(err)
			}
			pool.Advance(time.Minute)
		}
		if n := len(pool.Exchanges()); n != 2 {
			t.Errorf("%d exchanges, want 2: the window has passed", n)
		}
	})
}
