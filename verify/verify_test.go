package verify_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/cognito"
	"github.com/amplify-go/amplify/cookie"
	"github.com/amplify-go/amplify/internal/testpool"
	"github.com/amplify-go/amplify/verify"
)

var alice, bob = testpool.Alice, testpool.Bob

func options(t testing.TB, pool *testpool.Pool) verify.Options {
	t.Helper()
	keys, err := json.Marshal(pool.KeySet("key-1", "key-2"))
	if err != nil {
		t.Fatal(err)
	}
	return verify.Options{
		UserPoolID: testpool.ID, ClientID: testpool.Client, Keys: keys, Clock: pool.Now,
	}
}

func claim(name string, value any) testpool.Claim {
	return testpool.Claim{Name: name, Value: value}
}

func newVerifier(t testing.TB, o verify.Options) *verify.Verifier {
	t.Helper()
	v, err := verify.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func reasonOf(err error) verify.Reason {
	var e *verify.Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return ""
}

func TestSession(t *testing.T) {
	pool := testpool.New(t)
	v := newVerifier(t, options(t, pool))
	id := pool.ID(alice, claim("custom:tenant", "t1"))
	header := testpool.Cookies(alice, pool.Access(alice), id, "r")
	s, err := v.Session("theme=dark", header)
	if err != nil {
		t.Fatal(err)
	}
	if s.AccessToken.Subject != alice.Sub || s.AccessToken.TokenUse != "access" ||
		s.IDToken.Username != alice.Name || s.IDToken.TokenUse != "id" ||
		s.IDToken.Email != "alice@example.com" || !s.Expires.Equal(pool.Now().Add(time.Hour)) {
		t.Errorf("got %+v, %+v until %v", s.AccessToken.Claims, s.IDToken.Claims, s.Expires)
	}
	var more struct {
		Tenant string `json:"custom:tenant"`
	}
	if err := s.IDToken.Decode(&more); err != nil || more.Tenant != "t1" {
		t.Errorf("custom:tenant is %q, %v", more.Tenant, err)
	}
	if err := s.IDToken.Decode(&more.Tenant); err == nil {
		t.Error("a payload is a text")
	}
}

func TestToken(t *testing.T) {
	pool := testpool.New(t)
	o := options(t, pool)
	o.BearerClientIDs = []string{"mobile"}
	v := newVerifier(t, o)
	access := func(claims ...testpool.Claim) string { return pool.Access(alice, claims...) }
	id := func(claims ...testpool.Claim) string { return pool.ID(alice, claims...) }
	now, long := pool.Now().Unix(), strings.Repeat("x", 16<<10)
	const wrongClient, tooLarge = verify.ReasonWrongClient, verify.ReasonTokenTooLarge
	unpublished := pool.Sign("rogue", pool.AccessClaims(alice), alice, nil)
	for name, tt := range map[string]struct {
		verify func(string) (*verify.Token, error)
		raw    string
		want   verify.Reason
	}{
		"access":                {v.AccessToken, access(), ""},
		"ID":                    {v.IDToken, id(), ""},
		"ID for access":         {v.AccessToken, id(), verify.ReasonWrongTokenUse},
		"access for ID":         {v.IDToken, access(), verify.ReasonWrongTokenUse},
		"another of our own":    {v.AccessToken, access(claim("client_id", "mobile")), ""},
		"ID of another client":  {v.IDToken, id(claim("aud", "mobile")), wrongClient},
		"somebody else's":       {v.AccessToken, access(claim("client_id", "x")), wrongClient},
		"none":                  {v.AccessToken, "", verify.ReasonNoSession},
		"garbage":               {v.AccessToken, "garbage", verify.ReasonMalformedToken},
		"larger than a cookie":  {v.AccessToken, access(claim("x", long[:10_000])), ""},
		"larger than any token": {v.AccessToken, access(claim("x", long)), tooLarge},
		"expired":               {v.AccessToken, access(claim("exp", now)), verify.ReasonExpired},
		"no exp":                {v.AccessToken, access(claim("exp", nil)), verify.ReasonExpired},
		"not yet":               {v.IDToken, id(claim("nbf", now+1)), verify.ReasonNotYetValid},
		"unpublished key":       {v.AccessToken, unpublished, verify.ReasonUnknownKey},
	} {
		got, err := tt.verify(tt.raw)
		if reasonOf(err) != tt.want || (err == nil) != (got != nil && got.Subject == alice.Sub) {
			t.Errorf("%s: %+v, %v; want %q", name, got, err, tt.want)
		}
	}
}

// TestTimes: the earlier exp and the later nbf count, within the leeway, and a clockDrift cookie
// brings the end forward.
func TestTimes(t *testing.T) {
	pool := testpool.New(t)
	at := func(name string, d time.Duration) testpool.Claim {
		return claim(name, pool.Now().Add(d).Unix())
	}
	const expired, notYet = verify.ReasonExpired, verify.ReasonNotYetValid
	good := at("exp", time.Hour)
	for name, tt := range map[string]struct {
		access, id testpool.Claim
		leeway     time.Duration
		more       string
		want       verify.Reason
	}{
		"both good":                 {good, good, 0, "", ""},
		"expired access token":      {at("exp", 0), good, 0, "", expired},
		"expired ID token":          {good, at("exp", 0), 0, "", expired},
		"expired within leeway":     {at("exp", -59*time.Second), good, time.Minute, "", ""},
		"expired beyond leeway":     {at("exp", -time.Minute), good, time.Minute, "", expired},
		"access token not yet":      {at("nbf", time.Minute), at("nbf", 0), 0, "", notYet},
		"ID token not yet":          {at("nbf", 0), at("nbf", time.Minute), 0, "", notYet},
		"not yet within leeway":     {at("nbf", time.Minute), at("nbf", 0), time.Minute, "", ""},
		"drift":                     {at("exp", 30*time.Second), good, 0, "30000", expired},
		"drift of a minute at most": {at("exp", 61*time.Second), good, 0, "999999999", ""},
		"a negative drift":          {at("exp", 0), good, 0, "-60000", expired},
	} {
		o := options(t, pool)
		o.Leeway = tt.leeway
		header := testpool.Cookies(alice, pool.Access(alice, tt.access), pool.ID(alice, tt.id), "")
		if tt.more != "" {
			header += "; " + testpool.Prefix + "alice.clockDrift=" + tt.more
		}
		if _, err := newVerifier(t, o).Session(header); reasonOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestIssuers: tokens of both forms of the issuer count, and of replicas that are configured.
func TestIssuers(t *testing.T) {
	pool := testpool.New(t)
	o := options(t, pool)
	o.ReplicaRegions = []string{"eu-central-1"}
	o.Issuers = []string{"https://issuer.example.com/" + testpool.ID}
	v := newVerifier(t, o)
	with := func(old, new string) string { return strings.Replace(testpool.Issuer, old, new, 1) }
	const wrong = verify.ReasonWrongIssuer
	for iss, want := range map[string]verify.Reason{
		testpool.Issuer:                             "",
		with("//", "//issuer-"):                     "",
		with("eu-west-1.", "eu-central-1."):         "",
		"https://issuer.example.com/" + testpool.ID: "",
		with("eu-west-1.", "eu-north-1."):           wrong,
		testpool.Issuer + "x":                       wrong,
		with("https", "http"):                       wrong,
		with(".com", ".com.evil.test"):              wrong,
	} {
		iss := claim("iss", iss)
		header := testpool.Cookies(alice, pool.Access(alice, iss), pool.ID(alice, iss), "")
		if _, err := v.Session(header); reasonOf(err) != want {
			t.Errorf("%s: %v, want %q", iss.Value, err, want)
		}
	}
}

// judge compares the verdicts of two packages on a Cookie header, and returns that of verify.
type judge func(t testing.TB, header string) (user string, reason verify.Reason)

// newJudge returns the judge of packages verify and cognito.
func newJudge(t testing.TB, pool *testpool.Pool) judge {
	v := newVerifier(t, options(t, pool))
	app, err := amplify.New(pool.Config(), pool.Options())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cognito.New(app, cognito.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB, header string) (string, verify.Reason) {
		t.Helper()
		s, err := v.Session(header)
		user, reason := "", reasonOf(err)
		if err == nil {
			user = s.AccessToken.Subject
		}
		store := cookie.NewHeaderStore(http.Header{"Cookie": {header}}, nil)
		x := c.Examine(t.Context(), cookie.NewKeyValueStorage(store, cookie.Options{}))
		want := verify.Reason(amplify.ReasonOf(x.Err))
		if want == verify.Reason(amplify.ReasonExpiredNoRefreshToken) || x.RefreshDue {
			want = verify.ReasonExpired
		}
		if reason != want || (err == nil) != (x.Err == nil && !x.RefreshDue) {
			t.Errorf("verify says %q (%v), cognito %q (%v) of %.300q",
				reason, err, want, x.Err, header)
		}
		return user, reason
	}
}

// TestSameRules: verify and cognito give the same verdict on every forgery, in either place.
func TestSameRules(t *testing.T) {
	pool := testpool.New(t)
	judge := newJudge(t, pool)
	kid := map[string]any{"kid": "key-1"}
	signed := func(method jwt.SigningMethod, key any) func(map[string]any) string {
		return func(claims map[string]any) string { return pool.JWT(method, key, kid, claims) }
	}
	sign := func(header map[string]any) func(map[string]any) string {
		return func(claims map[string]any) string {
			return pool.JWT(jwt.SigningMethodRS256, pool.Key("key-1"), header, claims)
		}
	}
	with := func(name string, value any) func(map[string]any) string {
		return func(claims map[string]any) string { claims[name] = value; return sign(kid)(claims) }
	}
	good := sign(kid)
	unsigned := func(claims map[string]any) string {
		token := good(claims)
		return token[:strings.LastIndexByte(token, '.')+1]
	}
	padded := func(claims map[string]any) string { return good(claims) + "=" }
	critical := map[string]any{"kid": "key-1", "crit": []string{"x"}}
	const none = jwt.UnsafeAllowNoneSignatureType
	key, rogue := pool.Key("key-1"), pool.Key("rogue")
	for name, tt := range map[string]struct {
		forge func(map[string]any) string
		want  verify.Reason
	}{
		"good":         {good, ""},
		"another key":  {signed(jwt.SigningMethodRS256, rogue), verify.ReasonBadSignature},
		"HS256":        {signed(jwt.SigningMethodHS256, []byte("x")), verify.ReasonBadAlgorithm},
		"RS512":        {signed(jwt.SigningMethodRS512, key), verify.ReasonBadAlgorithm},
		"none":         {signed(jwt.SigningMethodNone, none), verify.ReasonBadAlgorithm},
		"unknown key":  {sign(map[string]any{"kid": "rogue"}), verify.ReasonUnknownKey},
		"no key":       {sign(nil), verify.ReasonUnknownKey},
		"critical":     {sign(critical), verify.ReasonMalformedToken},
		"no signature": {unsigned, verify.ReasonBadSignature},
		"padded":       {padded, verify.ReasonMalformedToken},
		"issuer":       {with("iss", "https://evil.test/"+testpool.ID), verify.ReasonWrongIssuer},
		"issuers":      {with("iss", []string{testpool.Issuer}), verify.ReasonMalformedToken},
		"use":          {with("token_use", "refresh"), verify.ReasonWrongTokenUse},
		"no sub":       {with("sub", ""), verify.ReasonMalformedToken},
		"another sub":  {with("sub", bob.Sub), verify.ReasonUserMismatch},
		"Sub":          {with("Sub", bob.Sub), ""},
		"exp a text":   {with("exp", "9999999999"), verify.ReasonMalformedToken},
		"expired":      {with("exp", pool.Now().Unix()-1), verify.ReasonExpired},
		"no exp":       {with("exp", nil), verify.ReasonExpired},
		"not yet":      {with("nbf", pool.Now().Unix()+60), verify.ReasonNotYetValid},
		"too large":    {with("x", strings.Repeat("x", 4096)), verify.ReasonTokenTooLarge},
	} {
		access := testpool.Cookies(alice, tt.forge(pool.AccessClaims(alice)), pool.ID(alice), "")
		id := testpool.Cookies(alice, pool.Access(alice), tt.forge(pool.IDClaims(alice)), "")
		for _, header := range []string{access, id} {
			if _, got := judge(t, header); got != tt.want {
				t.Errorf("%s: %q, want %q", name, got, tt.want)
			}
		}
	}
	access, id := pool.Access(alice), pool.ID(alice)
	p := testpool.Prefix
	for _, tt := range []struct {
		header string
		want   verify.Reason
	}{
		{"", verify.ReasonNoSession},
		{"CognitoIdentityServiceProvider.other.alice.accessToken=x", verify.ReasonNoSession},
		{testpool.Cookies(alice, access, "", ""), verify.ReasonIncompleteSession},
		{testpool.Cookies(bob, access, id, ""), ""}, // LastAuthUser selects, and proves nothing
		{testpool.Cookies(alice, access, pool.ID(bob), ""), verify.ReasonUserMismatch},
		{p + "username.accessToken=" + access + "; " + p + "username.idToken=" + id, ""},
		{
			p + "alice.accessToken=" + access + "; " + p + "alice.idToken=" + id,
			verify.ReasonIncompleteSession,
		},
		{testpool.Cookies(alice, "garbage", id, "") + "; " + p + "alice.accessToken=" + access, ""},
		{strings.ReplaceAll(testpool.Cookies(alice, access, id, ""), ".", "%2E"), ""},
		{
			testpool.Cookies(alice, access, id, "") + "; x=" + strings.Repeat("x", 64<<10),
			verify.ReasonCookiesTooLarge,
		},
	} {
		if user, got := judge(t, tt.header); got != tt.want || got == "" && user != alice.Sub {
			t.Errorf("%.200q: %q, %q; want %q", tt.header, user, got, tt.want)
		}
	}
}

// TestSignatureChecksAreBounded: a request whose cookies make many pairs costs eight checks, and
// the good pair behind them is not found.
func TestSignatureChecksAreBounded(t *testing.T) {
	pool := testpool.New(t)
	judge := newJudge(t, pool)
	forged := func(claims map[string]any, i int) string {
		return pool.JWT(jwt.SigningMethodRS256, pool.Key("rogue"), map[string]any{"kid": "key-1"},
			pool.Claims(claims, alice, claim("jti", i), claim("iat", pool.Now().Unix()+1)))
	}
	var header strings.Builder
	for user := range 3 {
		name := testpool.Prefix + string(rune('a'+user))
		header.WriteString("; " + testpool.Prefix + "LastAuthUser=" + name[len(testpool.Prefix):])
		for i := range 3 {
			access := forged(pool.AccessClaims(alice), user*3+i)
			if user == 2 && i == 2 {
				access = pool.Access(alice)
			}
			header.WriteString("; " + name + ".accessToken=" + access +
				"; " + name + ".idToken=" + pool.ID(alice))
		}
	}
	if _, got := judge(t, header.String()[2:]); got != verify.ReasonBadSignature {
		t.Errorf("%q", got)
	}
}

// FuzzSameRules: verify and cognito agree on every Cookie header. $a and $i stand for the tokens of
// Alice, $o and $p for older ones that have expired, $b and $j for Bob's, and P for the beginning of
// the app client's keys.
func FuzzSameRules(f *testing.F) {
	pool := testpool.New(f)
	judge := newJudge(f, pool)
	expired := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 1}
	replacer := strings.NewReplacer("P", testpool.Prefix,
		"$a", pool.Access(alice), "$i", pool.ID(alice),
		"$o", pool.Access(alice, expired), "$p", pool.ID(alice, expired),
		"$b", pool.Access(bob), "$j", pool.ID(bob))
	for _, seed := range []string{
		"PLastAuthUser=alice; Palice.accessToken=$a; Palice.idToken=$i; Palice.clockDrift=-1",
		"PLastAuthUser=alice; Palice.accessToken=$o; Palice.idToken=$p",
		"PLastAuthUser=bob; PLastAuthUser=alice; Pbob.accessToken=$a; Pbob.idToken=$j; " +
			"Palice.accessToken=$b; Palice.idToken=$i",
		"Pusername.accessToken=$a; Pusername.idToken=\"$i\"; Pusername.accessToken=undefined",
		"PLastAuthUser=a%40b; Pa%40b.accessToken=$a;Pa@b.idToken=$i; ;=; x",
		"P=; P.accessToken=$a;%", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) { judge(t, replacer.Replace(header)) })
}

// TestReasons: the reasons are the words of package amplify.
func TestReasons(t *testing.T) {
	for got, want := range map[verify.Reason]amplify.Reason{
		verify.ReasonNoSession:         amplify.ReasonNoSession,
		verify.ReasonIncompleteSession: amplify.ReasonIncompleteSession,
		verify.ReasonCookiesTooLarge:   amplify.ReasonCookiesTooLarge,
		verify.ReasonTokenTooLarge:     amplify.ReasonTokenTooLarge,
		verify.ReasonMalformedToken:    amplify.ReasonMalformedToken,
		verify.ReasonBadAlgorithm:      amplify.ReasonBadAlgorithm,
		verify.ReasonUnknownKey:        amplify.ReasonUnknownKey,
		verify.ReasonBadSignature:      amplify.ReasonBadSignature,
		verify.ReasonWrongIssuer:       amplify.ReasonWrongIssuer,
		verify.ReasonWrongClient:       amplify.ReasonWrongClient,
		verify.ReasonWrongTokenUse:     amplify.ReasonWrongTokenUse,
		verify.ReasonNotYetValid:       amplify.ReasonNotYetValid,
		verify.ReasonUserMismatch:      amplify.ReasonUserMismatch,
	} {
		if string(got) != string(want) {
			t.Errorf("%q is %q in package amplify", got, want)
		}
	}
}

func TestOptions(t *testing.T) {
	_, err := verify.New(verify.Options{
		UserPoolID: "eu-west-1_Pool1\n", Keys: json.RawMessage("{}"), Leeway: time.Hour,
		BearerClientIDs: []string{""}, ReplicaRegions: []string{"Frankfurt"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, fault := range []string{
		"UserPoolID", `"eu-west-1_Pool1\n"`, "ClientID", "Keys", "Leeway", "BearerClientIDs",
		"Frankfurt",
	} {
		if !strings.Contains(err.Error(), fault) {
			t.Errorf("%q is not told: %v", fault, err)
		}
	}
	want := testpool.Issuer + "/.well-known/jwks.json"
	if got := verify.KeysURL(testpool.ID); got != want {
		t.Errorf("KeysURL is %q, want %q", got, want)
	}
}

// TestErrorsKeepTokens: no error quotes a token.
func TestErrorsKeepTokens(t *testing.T) {
	pool := testpool.New(t)
	v := newVerifier(t, options(t, pool))
	access := pool.Access(bob)
	for _, header := range []string{
		testpool.Cookies(alice, access, pool.ID(alice), ""),
		testpool.Cookies(alice, access[:200]+"."+access[200:], pool.ID(alice), ""),
	} {
		_, err := v.Session(header)
		if err == nil || strings.Contains(err.Error(), access[40:60]) {
			t.Errorf("got %v", err)
		}
	}
}

// TestImports: the package stays small because it does without these.
func TestImports(t *testing.T) {
	deps, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(deps))
	if len(packages) < 50 {
		t.Fatalf("%d packages", len(packages))
	}
	for _, p := range packages {
		switch p {
		case "github.com/amplify-go/amplify", "net/http", "crypto/tls", "regexp":
			t.Errorf("imports %s", p)
		}
	}
}
