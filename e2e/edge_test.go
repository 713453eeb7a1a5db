package e2e

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/amplify-go/amplify/internal/testpool"
	"github.com/amplify-go/amplify/verify"
)

// edgePool is a user pool whose tokens are good now, by the clock of JavaScript.
type edgePool struct{ *testpool.Pool }

func newEdgePool(t testing.TB) edgePool {
	pool := testpool.New(t)
	pool.Advance(time.Since(pool.Now()))
	return edgePool{pool}
}

func (p edgePool) outputs() map[string]any {
	return map[string]any{"auth": map[string]any{
		"user_pool_id": testpool.ID, "user_pool_client_id": testpool.Client, "aws_region": "eu-west-1",
	}}
}

// cookies returns the Cookie header of Alice. The claims are those of her access token.
func (p edgePool) cookies(claims ...testpool.Claim) string {
	return testpool.Cookies(testpool.Alice, p.Access(testpool.Alice, claims...), p.ID(testpool.Alice), "refresh")
}

// forged returns a Cookie header whose access token names a published key that did not sign it.
func (p edgePool) forged() string {
	token := p.Sign("rogue", p.AccessClaims(testpool.Alice), testpool.Alice, nil)
	header := p.Access(testpool.Alice)
	header = header[:strings.IndexByte(header, '.')]
	return testpool.Cookies(testpool.Alice, header+token[strings.IndexByte(token, '.'):], p.ID(testpool.Alice), "refresh")
}

func (p edgePool) expired() string {
	return p.cookies(testpool.Claim{Name: "exp", Value: p.Now().Unix() - 60})
}

type edgeRequest struct {
	URL    string  `json:"url"`
	Method string  `json:"method,omitempty"`
	Cookie *string `json:"cookie,omitempty"`
	Crash  bool    `json:"crash,omitempty"` // the program panics before
	Busy   bool    `json:"busy,omitempty"`  // no program can be started
}

type edgeAnswer struct {
	Status                int
	Location, Cache, Body string
}

type edgeRun struct {
	Answers      []edgeAnswer
	Fetches      []string
	Milliseconds map[string]float64
}

// runEdge runs the middleware of examples/edge in Node.js.
func runEdge(t testing.TB, pool edgePool, keys []any, requests []edgeRequest) (run edgeRun) {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{
		"program.wasm":   buildWasm(t, "js", "./examples/edge"),
		"wasm_exec.js":   goWasm(t, "wasm_exec.js"),
		"middleware.mjs": "../examples/edge/middleware.mjs",
		"edge.mjs":       "edge.mjs",
	} {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	input, err := json.Marshal(map[string]any{"outputs": pool.outputs(), "keys": keys, "requests": requests})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, "node"), filepath.Join(dir, "edge.mjs"))
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	last := output[bytes.LastIndexByte(bytes.TrimSpace(output), '\n')+1:] // a panic prints, too
	if err := json.Unmarshal(last, &run); err != nil {
		t.Fatalf("%v\n%s\n%s", err, output, stderr.Bytes())
	}
	return run
}

// TestEdgeMiddleware runs the example's middleware in Node.js, with its Request and Response.
func TestEdgeMiddleware(t *testing.T) {
	pool := newEdgePool(t)
	const origin = "https://app.example.com"
	good, forged, expired := pool.cookies(), pool.forged(), pool.expired()
	rotated := testpool.Cookies(testpool.Alice, pool.Access(testpool.Alice),
		pool.Sign("key-2", pool.IDClaims(testpool.Alice), testpool.Alice, nil), "")
	const private = "private, no-store"
	pass := func(path string) edgeAnswer { return edgeAnswer{200, "", "", "the page " + path} }
	redirect := func(returnTo string) edgeAnswer {
		return edgeAnswer{303, "/api/auth/sign-in?return_to=" + returnTo, private, ""}
	}
	refused := edgeAnswer{401, "", private, ""}
	tests := []struct {
		path, method string
		cookie       *string
		want         edgeAnswer
	}{
		{"/home", "", &good, pass("/home")},
		{"/home?a=1&b=2#c", "", nil, redirect("%2Fhome%3Fa%3D1%26b%3D2")},
		{"/home", "POST", &good, pass("/home")},
		{"/home", "", &forged, redirect("%2Fhome")},
		{"/home", "HEAD", &expired, redirect("%2Fhome")},
		{"/home", "POST", &forged, refused},
		{"/api/auth/sign-in?return_to=%2F", "", nil, pass("/api/auth/sign-in")},
		{"/api/auth/sign-out", "POST", &forged, pass("/api/auth/sign-out")},
		{"/api/auth/sign-in/../../../home", "", nil, redirect("%2Fhome")},
		{"/api/auth/sign-in/%2e%2e/secret", "", nil, redirect("%2Fapi%2Fauth%2Fsecret")},
		{"/api/auth/sign-in%2f..%2f..%2f..%2fhome", "", nil, redirect("%2Fapi%2Fauth%2Fsign-in%252f..%252f..%252f..%252fhome")},
		{"//evil.example/", "", nil, redirect("%2F%2Fevil.example%2F")}, // the server refuses to return there
		{"/home", "", &rotated, redirect("%2Fhome")},                    // an unknown key: not fetched again within a minute
	}
	var requests []edgeRequest
	for _, tt := range tests {
		requests = append(requests, edgeRequest{
			URL: origin + tt.path, Method: tt.method, Cookie: tt.cookie,
		})
	}
	got := runEdge(t, pool, []any{pool.KeySet("key-1"), pool.KeySet("key-1", "key-2")}, requests)
	for i, tt := range tests {
		if diff := cmp.Diff(tt.want, got.Answers[i]); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", tt.method, tt.path, diff)
		}
	}
	if want := []string{verify.KeysURL(testpool.ID)}; !slices.Equal(got.Fetches, want) {
		t.Errorf("keys were fetched from %q, want %q", got.Fetches, want)
	}
}

// TestEdgeWithoutKeys: while the keys cannot be fetched nobody passes, and a flood of requests does
// not ask for them each time.
func TestEdgeWithoutKeys(t *testing.T) {
	pool := newEdgePool(t)
	good := pool.cookies()
	home := edgeRequest{URL: "https://app.example.com/home", Cookie: &good}
	requests := slices.Repeat([]edgeRequest{home}, 10)
	got := runEdge(t, pool, []any{nil}, requests)
	for _, a := range got.Answers {
		if a.Status != 503 || a.Body != "" {
			t.Errorf("got %+v", a)
		}
	}
	if len(got.Fetches) != 1 {
		t.Errorf("keys were asked for %d times, want once", len(got.Fetches))
	}
}

// TestEdgeRestarts: after a panic there is another program, and it has the keys of the first. One
// that cannot be started is tried again.
func TestEdgeRestarts(t *testing.T) {
	pool := newEdgePool(t)
	good := pool.cookies()
	home := edgeRequest{URL: "https://app.example.com/home", Cookie: &good}
	requests := slices.Repeat([]edgeRequest{home}, 6)
	requests[2].Crash = true
	requests[4].Crash, requests[4].Busy = true, true
	got := runEdge(t, pool, []any{pool.KeySet("key-1")}, requests)
	for i, a := range got.Answers {
		want := 200
		if requests[i].Busy {
			want = 503
		}
		if a.Status != want {
			t.Errorf("request %d: %+v, want status %d", i, a, want)
		}
	}
	if len(got.Fetches) != 1 {
		t.Errorf("keys were asked for %d times, want once", len(got.Fetches))
	}
}

// wasiVerifier is e2e/verify in wazero.
type wasiVerifier struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
	pool    edgePool
}

func newWASIVerifier(
	t testing.TB, pool edgePool, path string, engine wazero.RuntimeConfig,
) *wasiVerifier {
	t.Helper()
	binary, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	runtime := wazero.NewRuntimeWithConfig(ctx, engine)
	t.Cleanup(func() { _ = runtime.Close(context.WithoutCancel(ctx)) })
	wasi_snapshot_preview1.MustInstantiate(ctx, runtime)
	module, err := runtime.CompileModule(ctx, binary)
	if err != nil {
		t.Fatal(err)
	}
	return &wasiVerifier{runtime, module, pool}
}

// run starts the command with its input, and returns what it prints.
func (v *wasiVerifier) run(t testing.TB, in io.Reader) []byte {
	t.Helper()
	var out, stderr bytes.Buffer
	now := func() (int64, int32) { return v.pool.Now().Unix(), 0 }
	config := wazero.NewModuleConfig().WithName("").WithStdin(in).WithStdout(&out).WithStderr(&stderr).
		WithWalltime(now, 1).WithSysNanotime()
	instance, err := v.runtime.InstantiateModule(t.Context(), v.module, config)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if err := instance.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (p edgePool) input(t testing.TB, cookies ...string) io.Reader {
	t.Helper()
	var in bytes.Buffer
	for _, c := range cookies {
		err := json.NewEncoder(&in).Encode(map[string]any{"Outputs": p.outputs(), "Keys": p.KeySet("key-1"), "Cookies": c})
		if err != nil {
			t.Fatal(err)
		}
	}
	return &in
}

// TestVerifyInWazero runs package verify in a WebAssembly module that has no network and no files.
func TestVerifyInWazero(t *testing.T) {
	pool := edgePool{testpool.New(t)}
	type answer struct{ User, Reason string }
	tests := []struct {
		name, cookies string
		want          answer
	}{
		{"good", pool.cookies(), answer{User: "alice"}},
		{"nothing", "", answer{Reason: "no_session"}},
		{"forged", pool.forged(), answer{Reason: "bad_signature"}},
		{"expired", pool.expired(), answer{Reason: "expired"}},
		{"issuer", pool.cookies(testpool.Claim{Name: "iss", Value: "https://evil.test/" + testpool.ID}), answer{Reason: "wrong_issuer"}},
		{"client", pool.cookies(testpool.Claim{Name: "client_id", Value: "other"}), answer{Reason: "wrong_client"}},
		{"user", pool.cookies(testpool.Claim{Name: "sub", Value: testpool.Bob.Sub}), answer{Reason: "user_mismatch"}},
		{"encoded", strings.ReplaceAll(pool.cookies(), ".", "%2E"), answer{User: "alice"}},
	}
	var cookies []string
	for _, tt := range tests {
		cookies = append(cookies, tt.cookies)
	}
	path := buildWasm(t, "wasip1", "./e2e/verify")
	// To interpret the module takes less time than to compile it: it runs once.
	v := newWASIVerifier(t, pool, path, wazero.NewRuntimeConfigInterpreter())
	out := json.NewDecoder(bytes.NewReader(v.run(t, pool.input(t, cookies...))))
	for _, tt := range tests {
		var got answer
		if err := out.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// TestWasmSizes: edge runtimes limit how large a program may be.
func TestWasmSizes(t *testing.T) {
	for _, tt := range []struct {
		goos, pkg string
		flags     []string
		most      int // bytes, compressed
	}{
		{"js", "./examples/edge", nil, 1_480_000},
		{"wasip1", "./e2e/verify", nil, 1_480_000},
		{"js", "./e2e/wasm", smallWasm, 3_400_000},
		{"wasip1", "./e2e/wasm", smallWasm, 3_400_000},
	} {
		binary, err := os.ReadFile(buildWasm(t, tt.goos, tt.pkg, tt.flags...))
		if err != nil {
			t.Fatal(err)
		}
		var compressed bytes.Buffer
		w, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(binary); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s, GOOS=%s: %d bytes, %d compressed", tt.pkg, tt.goos, len(binary), compressed.Len())
		if compressed.Len() > tt.most {
			t.Errorf("%s, GOOS=%s: %d bytes compressed, %d at most", tt.pkg, tt.goos, compressed.Len(), tt.most)
		}
	}
}

// BenchmarkColdStart reports what the first request of a program at the edge costs: to compile the
// module, and then to start it and judge the first session. A warm session is one of the next.
func BenchmarkColdStart(b *testing.B) {
	b.Run("node", func(b *testing.B) {
		pool := newEdgePool(b)
		good := pool.cookies()
		for b.Loop() {
			request := edgeRequest{URL: "https://app.example.com/", Cookie: &good}
			run := runEdge(b, pool, []any{pool.KeySet("key-1")}, []edgeRequest{request})
			for name, ms := range run.Milliseconds {
				b.ReportMetric(ms, "ms-"+name)
			}
		}
	})
	b.Run("wazero", func(b *testing.B) {
		pool := edgePool{testpool.New(b)}
		path := buildWasm(b, "wasip1", "./e2e/verify")
		const sessions = 20
		many := slices.Repeat([]string{pool.cookies()}, 1+sessions)
		for b.Loop() {
			start := time.Now()
			v := newWASIVerifier(b, pool, path, wazero.NewRuntimeConfig())
			compiled := time.Now()
			v.run(b, pool.input(b, many[0]))
			first := time.Now()
			v.run(b, pool.input(b, many...))
			all := time.Since(first)
			b.ReportMetric(float64(compiled.Sub(start).Microseconds())/1e3, "ms-compile")
			b.ReportMetric(float64(first.Sub(compiled).Microseconds())/1e3, "ms-first")
			b.ReportMetric(float64((all-first.Sub(compiled)).Microseconds())/1e3/sessions, "ms-warm")
		}
	})
}
