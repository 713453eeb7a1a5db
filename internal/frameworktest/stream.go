package frameworktest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/amplify-go/amplify/amplifytest"
)

// stream: events go out one by one, after a header with the cookies of the session that has just
// been refreshed. A response that is flushed has a chunk for each flush (RFC 9112 §7.1).
func stream(a *app) {
	for _, flaws := range [][]amplifytest.Flaw{nil, {amplifytest.Expired}} {
		q := question{path: "/events", cookies: a.session(alice, flaws...)}
		conn, err := net.Dial("tcp", a.address)
		if err != nil {
			a.Fatal(err)
		}
		defer conn.Close()
		if err := a.request(a.Context(), q).Write(conn); err != nil {
			a.Fatal(err)
		}
		wire := bufio.NewReader(conn)
		header, err := http.ReadResponse(bufio.NewReader(strings.NewReader(readHeader(wire))), nil)
		if err != nil {
			a.Fatal(err)
		}
		got := answer{header.StatusCode, header.Header, ""}
		kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
		if got.status != 200 || kind != "text/event-stream" {
			a.Errorf("status %d, Content-Type %q", got.status, kind)
		}
		if flaws != nil {
			a.isMe(a.refreshed(q, got, alice), alice)
		} else if set := got.header["Set-Cookie"]; set != nil {
			a.Errorf("cookies %s", set)
		}
		for n := range 3 {
			want := fmt.Sprintf("data: %d alice\n\n", n+1)
			if chunk := readChunk(wire); chunk != want {
				a.Errorf("chunk %q, want %q", chunk, want)
			}
		}
		if last := readChunk(wire); last != "" {
			a.Errorf("a chunk more: %q", last)
		}
	}
}

// buffered: all events are in one piece, with the cookies of the session that has just been
// refreshed.
func buffered(a *app) {
	const events = "data: 1 alice\n\ndata: 2 alice\n\ndata: 3 alice\n\n"
	q := question{path: "/events", cookies: a.session(alice, amplifytest.Expired)}
	got := a.ask(q)
	kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if got.status != 200 || kind != "text/event-stream" || got.body != events {
		a.Errorf("status %d, Content-Type %q, %q", got.status, kind, got.body)
	}
	if length := got.header.Get("Content-Length"); length != fmt.Sprint(len(events)) {
		a.Errorf("Content-Length %q: the response is streamed. Use Run", length)
	}
	a.isMe(a.refreshed(q, got, alice), alice)
}

// readHeader reads a response's header.
func readHeader(r *bufio.Reader) (header string) {
	for {
		line, err := r.ReadString('\n')
		header += line
		if err != nil || line == "\r\n" {
			return header
		}
	}
}

// readChunk reads a chunk of a chunked body. The last one is empty.
func readChunk(r *bufio.Reader) string {
	var size int
	if _, err := fmt.Fscanf(r, "%x\r\n", &size); err != nil {
		return err.Error()
	}
	chunk := make([]byte, size+2)
	if _, err := io.ReadFull(r, chunk); err != nil {
		return err.Error()
	}
	return string(chunk[:size])
}

// lateStream: a stream goes on when its session expires, and that is not refreshed any more. The
// cookies could not be sent, and a refresh token that has been rotated would be lost.
func lateStream(a *app) {
	q := question{path: "/events", cookies: a.session(alice)}
	response, err := a.client.Do(a.request(a.Context(), q))
	if err != nil {
		a.Fatal(err)
	}
	defer response.Body.Close()
	body := bufio.NewReader(response.Body)
	if line, err := body.ReadString('\n'); line != "data: 1 alice\n" {
		a.Errorf("%q, %v", line, err)
	}
	a.pool.Advance(2 * time.Hour)
	rest, err := io.ReadAll(body)
	if want := "\ndata: 2 alice\n\ndata: 3 alice\n\n"; err != nil || string(rest) != want {
		a.Errorf("then %q, %v", rest, err)
	}
	if n := a.refreshes(); n != 0 {
		a.Errorf("%d refreshes", n)
	}
}

// hangUp: clients that go after the first event leave nothing behind: others get what is theirs,
// and the server can be stopped.
func hangUp(a *app) {
	const first = "data: 1 alice\n\n"
	q := question{path: "/events", cookies: a.session(alice)}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(a.Context())
			defer cancel()
			response, err := a.client.Do(a.request(ctx, q))
			if err != nil {
				a.Error(err)
				return
			}
			defer response.Body.Close()
			event := make([]byte, len(first))
			if _, err := io.ReadFull(response.Body, event); err != nil || string(event) != first {
				a.Errorf("%q, %v", event, err)
			}
			cancel()
			a.isMe(a.session(bob), bob)
		})
	}
	all.Wait()
}

// lateRefresh: a refresh may end when the request that waits for it has gone. Its cookies must
// reach nobody else, whatever the framework uses again, and the user must not have lost the
// session.
func lateRefresh(a *app) {
	expired, others := a.session(alice, amplifytest.Expired), a.session(bob)
	a.isMe(others, bob)
	held, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	hold := func(r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetTokensFromRefreshToken") {
			once.Do(func() { close(held) })
			<-release
		}
	}
	a.onCall.Store(&hold)
	ctx, hangUp := context.WithCancel(a.Context())
	gone := make(chan error, 1)
	go func() {
		response, err := a.client.Do(a.request(ctx, question{path: "/me", cookies: expired}))
		if err == nil {
			_ = response.Body.Close()
		}
		gone <- err
	}()
	<-held
	hangUp()
	if err := <-gone; err == nil {
		a.Error("an answer before the refresh")
	}
	ask := func() {
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() { a.isMe(others, bob) })
		}
		all.Wait()
	}
	ask()
	close(release)
	ask()
	q := question{path: "/me", cookies: expired}
	got := a.ask(q)
	a.identifies(got, alice)
	a.isMe(a.refreshed(q, got, alice), alice)
	ask()
	if n := a.refreshes(); n != 1 {
		a.Errorf("%d refreshes", n)
	}
}
