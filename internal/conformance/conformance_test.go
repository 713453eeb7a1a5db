package conformance

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	rand2 "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	differs := errors.New("differs")
	for _, tt := range []struct {
		difference error
		rule       bool
		instead    error
		foreign    bool
		want       verdict
		problem    bool
	}{
		{nil, false, nil, false, passed, false},
		{nil, true, nil, false, failed, true},
		{nil, true, nil, true, passed, false},
		{differs, false, nil, false, failed, true},
		{differs, false, nil, true, failed, true},
		{differs, true, nil, false, excepted, false},
		{differs, true, nil, true, excepted, false},
		{differs, true, differs, false, failed, true},
		{differs, true, differs, true, failed, true},
	} {
		if v, problem := judge(tt.difference, tt.rule, tt.instead, tt.foreign); v != tt.want || (problem != nil) != tt.problem {
			t.Errorf("%+v: %v, %v", tt, v, problem)
		}
	}
}

func TestExpect(t *testing.T) {
	c := Case{ID: "c", Expected: []byte(`{"a":{"b":1,"c":2}}`)}
	for want, got := range map[string]Case{
		`{"a":{"b":3,"c":2}}`:              c.Expect(3, "a", "b"),
		`{"a":{"c":2}}`:                    c.ExpectNo("a", "b"),
		`{"a":{"b":1,"c":2}}`:              c.ExpectNo("x", "y").ExpectNo("x"),
		`{"a":{"b":1,"c":2},"x":{"y":[]}}`: c.Expect([]int{}, "x", "y"),
	} {
		if string(got.Expected) != want {
			t.Errorf("%s, want %s", got.Expected, want)
		}
	}
	if string(c.Expected) != `{"a":{"b":1,"c":2}}` {
		t.Errorf("the case itself has changed: %s", c.Expected)
	}
}

// fatal is a test that notes whether it was ended.
type fatal struct {
	testing.TB
	message string
}

func (f *fatal) Helper()        {}
func (f *fatal) Fatal(a ...any) { f.Fatalf("%s", fmt.Sprint(a...)) }
func (f *fatal) Fatalf(format string, a ...any) {
	f.message = fmt.Sprintf(format, a...)
	runtime.Goexit()
}

// ends reports how f ends a test, or "".
func ends(f func(testing.TB)) string {
	test, over := &fatal{}, make(chan struct{})
	go func() {
		defer close(over)
		f(test)
	}()
	<-over
	return test.message
}

// TestLoadFails: a folder or a file that tests nothing fails the test.
func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	load := func() string { return ends(func(tb testing.TB) { Load(tb, "cases.json") }) }
	for content, want := range map[string]string{"[]": "no cases", "{": "unexpected end", "": "unexpected end", `{"a":1}`: "cannot unmarshal"} {
		t.Setenv(dirVariable, dir)
		if err := os.WriteFile(filepath.Join(dir, "cases.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := load(); !strings.Contains(got, want) {
			t.Errorf("%q: %q does not say %q", content, got, want)
		}
	}
	for _, missing := range []string{filepath.Join(dir, "missing"), "no/such/folder"} {
		if t.Setenv(dirVariable, missing); load() == "" {
			t.Errorf("%s is taken for a folder of cases", missing)
		}
	}
	t.Setenv(dirVariable, "")
	if got := ends(func(tb testing.TB) { Load(tb, "session.json") }); got != "" {
		t.Errorf("the module's own folder: %s", got)
	}
}

func TestSign(t *testing.T) {
	keys, now := NewKeys(t), time.Unix(1_700_000_000, 0)
	sign := func(spec TokenSpec) (header, claims map[string]any, signature []byte, signed string) {
		t.Helper()
		token, err := keys.Sign(spec, now)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		for i, v := range []any{&header, &claims} {
			b, err := base64.RawURLEncoding.DecodeString(parts[i])
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(b, v); err != nil {
				t.Fatal(err)
			}
		}
		if signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
			t.Fatal(err)
		}
		return header, claims, signature, parts[0] + "." + parts[1]
	}
	valid := func(kid, signed string, signature []byte) bool {
		var set struct {
			Keys []struct{ Kid, N, E string }
		}
		if err := json.Unmarshal(keys.Set(), &set); err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256([]byte(signed))
		for _, k := range set.Keys {
			n, err1 := base64.RawURLEncoding.DecodeString(k.N)
			e, err2 := base64.RawURLEncoding.DecodeString(k.E)
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
			if k.Kid == kid && rsa.VerifyPKCS1v15(public, crypto.SHA256, hash[:], signature) == nil {
				return true
			}
		}
		return false
	}
	claims := map[string]any{"sub": "s"}

	header, got, signature, signed := sign(TokenSpec{Key: "pool", Claims: claims, Times: map[string]int64{"exp": 60}})
	if !valid("corpus-key-1", signed, signature) || fmt.Sprint(header, got) != "map[alg:RS256 kid:corpus-key-1] map[exp:1.70000006e+09 sub:s]" {
		t.Errorf("pool: %v %v", header, got)
	}
	if header, _, signature, signed = sign(TokenSpec{Key: "pool2", Claims: claims}); !valid("corpus-key-2", signed, signature) {
		t.Errorf("pool2: %v", header)
	}
	if header, _, signature, signed = sign(TokenSpec{Key: "rogue", Claims: claims}); valid("corpus-key-1", signed, signature) || header["kid"] != "corpus-rogue-key" {
		t.Errorf("rogue: %v", header)
	}
	if header, _, signature, signed = sign(TokenSpec{Key: "pool", Claims: claims, Header: map[string]any{"kid": nil, "alg": "HS256"}}); len(header) != 1 || !valid("corpus-key-1", signed, signature) {
		t.Errorf("header: %v", header)
	}
	if _, _, signature, _ = sign(TokenSpec{Key: "pool", Claims: claims, Header: map[string]any{"alg": "none"}}); len(signature) != 0 {
		t.Error("none: signed")
	}
	if _, _, signature, signed = sign(TokenSpec{Key: "pool", Claims: claims, Tamper: "signature"}); valid("corpus-key-1", signed, signature) {
		t.Error("tampered signature: valid")
	}
	_, got, signature, signed = sign(TokenSpec{Key: "pool", Claims: claims, Tamper: "payload", TamperClaims: map[string]any{"sub": "x"}})
	if valid("corpus-key-1", signed, signature) || got["sub"] != "x" || claims["sub"] != "s" {
		t.Errorf("tampered payload: %v", got)
	}
	if token, err := keys.Sign(TokenSpec{Raw: "opaque"}, now); token != "opaque" || err != nil {
		t.Errorf("raw: %s, %v", token, err)
	}
	if _, err := keys.Sign(TokenSpec{Key: "unknown"}, now); err == nil {
		t.Error("an unknown key signs")
	}
}

func TestPlaceholders(t *testing.T) {
	c := Case{Input: json.RawMessage(`{"tokens":{"access":{"raw":"aaaa.bbbb.cccc"},"r":{"raw":"short"}},"header":"a={{token:access}}; r={{token:r}}"}`)}
	tokens, err := NewKeys(t).Mint(c, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var in struct{ Header string }
	if err := tokens.Fill(c.Input, &in); err != nil || in.Header != "a=aaaa.bbbb.cccc; r=short" {
		t.Errorf("got %q, %v", in.Header, err)
	}
	if got := tokens.Blank("x aaaa.bbbb.cccc y short"); got != "x {{token:access}} y short" {
		t.Errorf("got %q", got)
	}
}

func TestUpstream(t *testing.T) {
	u := NewUpstream(NewKeys(t), map[string][]Answer{
		"GetUser":            {{Status: 500, Text: "busy"}, {Status: 200, JSON: json.RawMessage(`{"Username":"alice"}`)}},
		"POST /oauth2/token": {{Network: "reset"}},
	})
	client := &http.Client{Transport: u}
	call := func(target, body string) string {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://cognito-idp.eu-west-1.amazonaws.com/", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Amz-Target", "AWSCognitoIdentityProviderService."+target)
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = answer.Body.Close() }()
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(answer.StatusCode, " ", string(b))
	}
	for i, want := range []string{"500 busy", `200 {"Username":"alice"}`, `200 {"Username":"alice"}`} {
		if got := call("GetUser", `{"AccessToken":"t"}`); got != want {
			t.Errorf("call %d: got %s, want %s", i, got, want)
		}
	}
	if got := call("Other", `{}`); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, "UnexpectedCallException") {
		t.Errorf("a call that is not listed: %s", got)
	}
	if _, err := client.PostForm("https://auth.corpus.test/oauth2/token", map[string][]string{"code": {"c"}}); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v", err)
	}
	for path, want := range map[string]bool{"/eu-west-1_Corpus001": true, "/eu-west-1_Other": false} {
		answer, err := client.Get("https://cognito-idp.eu-west-1.amazonaws.com" + path + "/.well-known/jwks.json")
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if bytes.Contains(b, []byte("corpus-key-1")) != want {
			t.Errorf("%s: %s", path, b)
		}
	}
	calls := u.Calls()
	if len(calls) != 5 || calls[4].Form["code"] != "c" || calls[0].Host != "cognito-idp.eu-west-1.amazonaws.com" {
		t.Errorf("calls %+v", calls)
	}
}

func TestInstead(t *testing.T) {
	empty := Rule{Name: "empty"}
	fine := Rule{Name: "fine", Instead: func(c Case) Case { return c.Expect(1, "a") }}
	panics := Rule{Name: "panics", Instead: func(Case) Case { panic("unknown form") }}
	if got := withoutInstead([]Rule{empty, fine, panics}); !slices.Equal(got, []string{"empty"}) {
		t.Errorf("without Instead: %q", got)
	}
	c := Case{ID: "c", Expected: []byte(`{}`)}
	if got, err := fine.instead(c); err != nil || string(got.Expected) != `{"a":1}` {
		t.Errorf("%s, %v", got.Expected, err)
	}
	if _, err := panics.instead(c); err == nil || !strings.Contains(err.Error(), "unknown form") {
		t.Errorf("a panic: %v", err)
	}
}

// TestMutate: a mutant differs from what was recorded, the recorded case stays as it is, and the
// same seed makes the same mutant.
func TestMutate(t *testing.T) {
	const expected = `{"a":["x",{"b":1}],"c":true,"d":null,"e":[],"f":""}`
	c := Case{ID: "c", Expected: []byte(expected)}
	changes := map[string]bool{}
	for seed := range uint64(500) {
		mutant, change := mutate(c, rand2.New(rand2.NewPCG(seed, 0)))
		again, _ := mutate(c, rand2.New(rand2.NewPCG(seed, 0)))
		if Diff(c.Expected, mutant.Expected) == nil || !bytes.Equal(mutant.Expected, again.Expected) {
			t.Errorf("%s: %s, again %s", change, mutant.Expected, again.Expected)
		}
		changes[change] = true
	}
	if string(c.Expected) != expected {
		t.Errorf("the case itself has changed: %s", c.Expected)
	}
	if len(changes) != 16 {
		t.Errorf("%d changes: %v", len(changes), slices.Sorted(maps.Keys(changes)))
	}
	if _, change := mutate(Case{Expected: []byte("{")}, rand2.New(rand2.NewPCG(0, 0))); change != "" {
		t.Errorf("no JSON: %s", change)
	}
}

func TestMutants(t *testing.T) {
	t.Setenv(mutateVariable, "50")
	m := newMutants(t, "file")
	m.try(t, Case{ID: "c", Expected: []byte(`{"a":1,"b":2}`)}, func(_ *testing.T, c Case) error {
		switch a := c.Want("a"); a {
		case 1.0:
			return nil // whatever b is
		case nil:
			panic("a panic is a failure")
		default:
			return errors.New("differs")
		}
	})
	if m.made != 50 || m.killed < 10 || m.killed > 40 {
		t.Errorf("%d of %d mutants killed", m.killed, m.made)
	}
	t.Setenv(mutateVariable, "many")
	if got := ends(func(tb testing.TB) { newMutants(tb, "file") }); got == "" {
		t.Error("a number that is none is accepted")
	}
}

func TestDecode(t *testing.T) {
	var v struct{ A int }
	if err := Decode([]byte(`{"a":1}`), &v); err != nil || v.A != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if Decode([]byte(`{"a":1,"b":2}`), &v) == nil {
		t.Error("a member that is not read goes unnoticed")
	}
}

func TestDiff(t *testing.T) {
	if err := Diff(json.RawMessage(`{"a":1,"b":[null]}`), map[string]any{"b": []any{nil}, "a": 1}); err != nil {
		t.Error(err)
	}
	if Diff(json.RawMessage(`{"a":1}`), map[string]any{"a": 2}) == nil || Diff(json.RawMessage(`{`), nil) == nil {
		t.Error("finds no difference")
	}
}
