package data_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/data"
	"github.com/amplify-go/amplify/internal/benchtest"
	"github.com/amplify-go/amplify/internal/sigv4"
)

const benchmarkQuery = `query ($id: ID!) { getNote(id: $id) { id title body owner createdAt updatedAt } }`

type benchmarkAnswer struct {
	GetNote struct{ ID, Title, Body, Owner, CreatedAt, UpdatedAt string }
}

// BenchmarkCall compares the CPU of calls with that of a bare POST of the same bytes whose answer is
// decoded into the same type, signed by one signer of the SDK if the call is signed. The API is a
// process of its own. The goal is a ratio of 1.2.
func BenchmarkCall(b *testing.B) {
	address := startAPI(b)
	app, err := amplify.New(amplify.Config{Data: &amplify.DataConfig{
		Endpoint: address, Region: "eu-west-1", APIKey: amplify.NewSecret("da2-key"), DefaultAuthMode: "apiKey",
	}}, amplify.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = app.Close(context.Background()) })
	p := caller("alice")
	ctx, done := amplify.WithServerContext(b.Context(), app, amplify.Providers{Tokens: p, Credentials: p})
	b.Cleanup(done)
	variables := map[string]any{"id": "n1"}
	body, err := json.Marshal(map[string]any{"query": benchmarkQuery, "variables": variables})
	if err != nil {
		b.Fatal(err)
	}
	signer, credentials := v4.NewSigner(), sdkCredentials(0)
	credentials.SessionToken = sessionToken
	bare := func(mode data.AuthMode) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if mode == data.AuthIdentityPool {
			hash := sha256.Sum256(body)
			if err := signer.SignHTTP(ctx, credentials, r, hex.EncodeToString(hash[:]), "appsync", "eu-west-1", time.Now()); err != nil {
				b.Fatal(err)
			}
		} else {
			r.Header.Set("X-Api-Key", "da2-key")
		}
		resp, err := app.HTTPClient().Do(r)
		if err != nil {
			b.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		var out struct{ Data benchmarkAnswer }
		if err != nil || json.Unmarshal(answer, &out) != nil || out.Data.GetNote.ID != "n1" {
			b.Fatalf("%s, %v", answer, err)
		}
	}
	for _, mode := range []data.AuthMode{data.AuthAPIKey, data.AuthUserPool, data.AuthIdentityPool} {
		b.Run(string(mode), func(b *testing.B) {
			call := func() {
				out, err := data.GraphQL[benchmarkAnswer](ctx, data.Request{
					Query: benchmarkQuery, Variables: variables, Options: data.Options{AuthMode: mode},
				})
				if err != nil || out.GetNote.ID != "n1" {
					b.Fatal(err)
				}
			}
			const round = 100 // so that both meet the same state of the machine
			var with, without time.Duration
			n := 0
			for b.Loop() {
				with += benchtest.CPU(b, func() { repeat(round, call) })
				without += benchtest.CPU(b, func() { repeat(round, func() { bare(mode) }) })
				n += round
			}
			b.ReportMetric(float64(with)/float64(without), "cpu-ratio")
			b.ReportMetric(float64(with.Nanoseconds())/float64(n)/1000, "us/call")
			b.ReportMetric(float64(without.Nanoseconds())/float64(n)/1000, "us/bare")
		})
	}
}

func repeat(n int, f func()) {
	for range n {
		f()
	}
}

// BenchmarkSign signs calls as one user and as many in turn, by the signers of the library, which
// keep the signing key of each user, and by one signer of the SDK, which keeps that of its latest.
func BenchmarkSign(b *testing.B) {
	one := v4.NewSigner()
	for _, users := range []int{1, 1000} {
		signers := sigv4.New(time.Now)
		for name, of := range map[string]func(aws.Credentials) *v4.Signer{
			"signers":       func(c aws.Credentials) *v4.Signer { return signers.Of(c).Signer },
			"signer of SDK": func(aws.Credentials) *v4.Signer { return one },
		} {
			b.Run(fmt.Sprintf("%s/%d users", name, users), func(b *testing.B) {
				r, err := http.NewRequest(http.MethodPost, "https://api.test/graphql", nil)
				if err != nil {
					b.Fatal(err)
				}
				now, i := time.Now(), 0
				b.ReportAllocs()
				for b.Loop() {
					i++
					c := sdkCredentials(i % users)
					if err := of(c).SignHTTP(b.Context(), c, r, "hash", "appsync", "eu-west-1", now); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// apiVariable tells the test binary that it is the API of a benchmark.
const apiVariable = "DATA_BENCHMARK_API"

func TestMain(m *testing.M) {
	if os.Getenv(apiVariable) != "" {
		if err := serveAPI(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serveAPI answers calls until its standard input ends, which it does with the parent.
func serveAPI() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	answer := []byte(`{"data":{"getNote":{"id":"n1","title":"Groceries","body":"` + strings.Repeat("milk ", 40) + `",` +
		`"owner":"alice","createdAt":"2024-05-17T12:00:00.000Z","updatedAt":"2024-05-17T12:00:00.000Z"}}}`)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		_, _ = w.Write(answer)
	})}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	_ = server.Serve(listener)
	return nil
}

// startAPI starts the API of a benchmark in a process of its own, and returns its address.
func startAPI(b *testing.B) string {
	b.Helper()
	port, err := benchtest.Start(b, nil, apiVariable+"=1").Output.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://127.0.0.1:" + strings.TrimSpace(port) + "/graphql"
}
