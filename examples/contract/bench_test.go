package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify/internal/benchtest"
	"github.com/amplify-go/amplify/internal/testpool"
)

// BenchmarkWarm compares the server CPU of /me, /session and /file for known sessions, their
// middleware included, with that of bare handlers that write the same JSON. Each server runs as a
// process of its own and is asked the same by turns; the goals are ratios of 1.1, 1.2 and 1.7.
func BenchmarkWarm(b *testing.B) {
	const round = 5000
	pool := testpool.New(b)
	// The processes go by the real time.
	pool.Advance(time.Since(pool.Now()))
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/jwks.json") {
			_ = json.NewEncoder(w).Encode(pool.KeySet("key-1"))
			return
		}
		resp, err := pool.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	defer aws.Close()
	outputs := filepath.Join(b.TempDir(), "outputs.json")
	if err := os.WriteFile(outputs, fmt.Appendf(nil, `{"version":"1.4",
		"auth":{"user_pool_id":%q,"user_pool_client_id":%q,"aws_region":"eu-west-1",
			"identity_pool_id":%q},
		"storage":{"aws_region":"eu-west-1","bucket_name":"drive"},
		"custom":{"amplify_go":{"endpoints":{"user_pool_keys":%q,"identity_pool":%q}}}}`,
		testpool.ID, testpool.Client, testpool.IdentityPool, aws.URL, aws.URL), 0o600); err != nil {
		b.Fatal(err)
	}
	var cookies []string
	for i := range 100 {
		u := testpool.User{
			Sub: fmt.Sprintf("6f8b1c2a-1111-4222-8333-%012d", i), Name: fmt.Sprintf("user%d", i),
		}
		cookies = append(cookies,
			testpool.Cookies(u, pool.Access(u), pool.ID(u), strings.Repeat("r", 1100)))
	}
	contract, bare := start(b, "contract", outputs), start(b, "bare", outputs)
	for _, path := range []string{"/me", "/session", "/file"} {
		b.Run(path[1:], func(b *testing.B) {
			contract.hammer(b, path, cookies, len(cookies)) // so that the sessions are known
			bare.hammer(b, path, cookies, len(cookies))
			var with, without time.Duration
			requests := 0
			for b.Loop() {
				with += contract.hammer(b, path, cookies, round)
				without += bare.hammer(b, path, cookies, round)
				requests += round
			}
			b.ReportMetric(float64(with)/float64(without), "cpu-ratio")
			b.ReportMetric(float64(with.Nanoseconds())/float64(requests)/1000, "us/contract")
			b.ReportMetric(float64(without.Nanoseconds())/float64(requests)/1000, "us/bare")
		})
	}
	ids := len(pool.IdentityCalls(testpool.GetID))
	credentials := len(pool.IdentityCalls(testpool.GetCredentials))
	if ids != len(cookies) || credentials != len(cookies) {
		b.Errorf("%d calls of GetId and %d of GetCredentialsForIdentity for %d users",
			ids, credentials, len(cookies))
	}
}

// TestAllocations: a known session adds ten allocations to a handler at most.
func TestAllocations(t *testing.T) {
	s := newService(t)
	handler := s.handler
	r := httptest.NewRequest(http.MethodGet, "/me", nil)
	access, id := s.Access(testpool.Alice), s.ID(testpool.Alice)
	r.Header.Set("Cookie", testpool.Cookies(testpool.Alice, access, id, "refresh-1"))
	allocations := func(h http.Handler) float64 {
		return testing.AllocsPerRun(1000, func() {
			w := discard{http.Header{}}
			h.ServeHTTP(w, r)
			if w.header.Get("Content-Type") != "application/json" {
				t.Fatal("no answer")
			}
		})
	}
	bare := http.NewServeMux()
	bare.HandleFunc("GET /me", bareMe)
	if with, without := allocations(handler), allocations(bare); with-without > 10 {
		t.Errorf("%v allocations, %v without Amplify", with, without)
	} else {
		t.Logf("%v allocations, %v without Amplify", with, without)
	}
}

// discard is a response that is not read.
type discard struct{ header http.Header }

func (w discard) Header() http.Header         { return w.header }
func (w discard) WriteHeader(int)             {}
func (w discard) Write(b []byte) (int, error) { return len(b), nil }

// bareMe answers like /me, without asking who is there.
func bareMe(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, meAnswer{"alice", "6f8b1c2a-1111-4222-8333-000000000000"})
}

// bareSession answers like /session.
func bareSession(w http.ResponseWriter, _ *http.Request) {
	const sub = "6f8b1c2a-1111-4222-8333-000000000000"
	writeJSON(w, http.StatusOK, sessionAnswer{sub, "eu-west-1:" + sub, true})
}

// bareFile answers like /file.
func bareFile(w http.ResponseWriter, _ *http.Request) {
	const parameters = 380 // bytes of a URL, apart from path and session token
	writeJSON(w, http.StatusOK, fileAnswer{
		"https://drive.s3.eu-west-1.amazonaws.com/public/a.txt?" +
			strings.Repeat("x", parameters+950),
	})
}

// child is a server in a process of its own.
type child struct {
	process *benchtest.Process
	url     string
	client  *http.Client
}

// childVariable tells the test binary that it is such a process.
const childVariable = "CONTRACT_BENCHMARK_SERVER"

func TestMain(m *testing.M) {
	if kind := os.Getenv(childVariable); kind != "" {
		if err := serveChild(kind); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveChild serves until its standard input ends, which it does with the parent.
func serveChild(kind string) error {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	listening := func(addr net.Addr) { fmt.Println(addr.(*net.TCPAddr).Port) }
	if kind == "contract" {
		return run(ctx, os.Getenv, listening)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /me", bareMe)
	mux.HandleFunc("GET /session", bareSession)
	mux.HandleFunc("GET /file", bareFile)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listening(listener.Addr())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	_ = server.Serve(listener)
	return nil
}

func start(b *testing.B, kind, outputs string) *child {
	b.Helper()
	process := benchtest.Start(b, nil,
		childVariable+"="+kind, "AMPLIFY_OUTPUTS="+outputs, "PORT=0", "GOMAXPROCS=1")
	port, err := process.Output.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	connections := &http.Transport{MaxIdleConnsPerHost: 4}
	b.Cleanup(connections.CloseIdleConnections)
	return &child{
		process, "http://127.0.0.1:" + strings.TrimSpace(port),
		&http.Client{Transport: connections},
	}
}

// hammer gets a path so many times, two at a time on connections that are kept alive, and returns
// the CPU time that this took the child.
func (c *child) hammer(b *testing.B, path string, cookies []string, requests int) time.Duration {
	b.Helper()
	before := c.process.CPU(b)
	var all sync.WaitGroup
	for half := range 2 {
		all.Go(func() {
			for i := half; i < requests; i += 2 {
				r, err := http.NewRequest(http.MethodGet, c.url+path, nil)
				if err != nil {
					b.Error(err)
					return
				}
				r.Header.Set("Cookie", cookies[i%len(cookies)])
				resp, err := c.client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != http.StatusOK {
					b.Errorf("status %d, %v", resp.StatusCode, err)
					return
				}
			}
		})
	}
	all.Wait()
	return c.process.CPU(b) - before
}
