package frameworktest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amplify-go/amplify/amplifytest"
	"github.com/amplify-go/amplify/internal/benchtest"
)

// childVariable tells a benchmark that it is the server in a process of its own.
const childVariable = "FRAMEWORKTEST_SERVER"

// Benchmark compares the server's CPU time of /me, for known sessions, with that of a bare
// application on the same framework, whose only route is /me and answers the same for a user who is
// made up, without the library. The goal is a ratio of 1.25. The servers run in a process of their
// own: the test binary, which runs the benchmark of b once more.
func Benchmark(b *testing.B, serve, bare Serve) {
	b.Setenv("AMPLIFY_APP_ORIGIN", "")
	if os.Getenv(childVariable) != "" {
		serveChild(b, serve, bare)
		return
	}
	const round = 5000
	server := startChild(b)
	server.hammer(b, server.Address, 100) // so that the sessions are known
	server.hammer(b, server.Bare, 100)
	var with, without time.Duration
	requests := 0
	for b.Loop() {
		with += server.hammer(b, server.Address, round)
		without += server.hammer(b, server.Bare, round)
		requests += round
	}
	b.ReportMetric(float64(with)/float64(without), "cpu-ratio")
	b.ReportMetric(float64(with.Microseconds())/float64(requests), "us/me")
	b.ReportMetric(float64(without.Microseconds())/float64(requests), "us/bare")
}

// child is a server in a process of its own.
type child struct {
	Address string
	Bare    string   // the address of the application without the library
	Cookies []string // of users who are signed in

	process *benchtest.Process
	client  *http.Client
}

// childPrefix begins the line on which the server tells what it is, among those of the testing
// package.
const childPrefix = "frameworktest: "

// serveChild serves until its standard input ends, which it does with the parent.
func serveChild(b *testing.B, serve, bare Serve) {
	pool := amplifytest.New(b, amplifytest.Options{})
	var c child
	for i := range 100 {
		r, err := http.NewRequest(http.MethodGet, "/", nil)
		if err != nil {
			b.Fatal(err)
		}
		pool.SignIn(r, amplifytest.User{Name: fmt.Sprintf("user%d", i)})
		c.Cookies = append(c.Cookies, r.Header.Get("Cookie"))
	}
	c.Address = serve(b, pool.Config(), pool.Options())
	c.Bare = bare(b, pool.Config(), pool.Options())
	line, err := json.Marshal(c)
	if err != nil {
		b.Fatal(err)
	}
	fmt.Printf("\n%s%s\n", childPrefix, line)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func startChild(b *testing.B) *child {
	b.Helper()
	connections := &http.Transport{MaxIdleConnsPerHost: 4}
	c := &child{client: &http.Client{Transport: connections}}
	c.process = benchtest.Start(b,
		[]string{"-test.run=^$", "-test.bench=^" + b.Name() + "$", "-test.benchtime=1x"},
		childVariable+"=1", "GOMAXPROCS=1")
	b.Cleanup(connections.CloseIdleConnections)
	for {
		line, err := c.process.Output.ReadString('\n')
		if err != nil {
			b.Fatalf("the server does not start: %v", err)
		}
		if text, ok := strings.CutPrefix(line, childPrefix); ok {
			if err := json.Unmarshal([]byte(text), c); err != nil {
				b.Fatal(err)
			}
			return c
		}
	}
}

// hammer gets /me at an address so many times, two at a time on connections that are kept alive,
// and returns the CPU time that this took the server.
func (c *child) hammer(b *testing.B, address string, requests int) time.Duration {
	b.Helper()
	before := c.process.CPU(b)
	var all sync.WaitGroup
	for half := range 2 {
		all.Go(func() {
			for i := half; i < requests; i += 2 {
				r, err := http.NewRequest(http.MethodGet, "http://"+address+"/me", nil)
				if err != nil {
					b.Error(err)
					return
				}
				r.Host = "example.com"
				r.Header.Set("Cookie", c.Cookies[i%len(c.Cookies)])
				response, err := c.client.Do(r)
				if err != nil {
					b.Error(err)
					return
				}
				var user identity
				err = json.NewDecoder(response.Body).Decode(&user)
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil || user.Username == "" || user.UserID == "" {
					b.Errorf("status %d, %v", response.StatusCode, err)
					return
				}
			}
		})
	}
	all.Wait()
	return c.process.CPU(b) - before
}
