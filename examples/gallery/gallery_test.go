package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/amplify-go/amplify"
)

// startGallery runs the whole program on a free port, the server signing people in, and returns the
// addresses that it prints by their labels.
func startGallery(t *testing.T) map[string]string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	output, input := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := run(ctx, "localhost:0", byServer, input)
		input.CloseWithError(err)
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("the gallery did not stop cleanly: %v", err)
		}
	})

	printed := map[string]string{}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) == 2 {
			printed[fields[0]] = fields[1]
		}
		if strings.Contains(lines.Text(), "Ctrl+C") {
			go io.Copy(io.Discard, output)
			return printed
		}
	}
	t.Fatalf("the gallery did not start: %v", lines.Err())
	return nil
}

func TestSignInAndOut(t *testing.T) {
	gallery := startGallery(t)
	b := newBrowser(t)

	b.open(gallery["Gallery"])
	b.wantText("Hello, stranger.", "alice@example.com", gallery["Inbox"], gallery["Console"])

	// A protected page leads to the sign-in page and, once signed in, back.
	b.follow("Profile")
	b.wantAt("/sign-in")
	b.follow("Sign in")
	b.submit(map[string]string{"username": "alice@example.com", "password": seedPassword})
	b.wantAt("/profile")
	b.wantText("Alice", "alice@example.com", "curators", "aws.cognito.signin.user.admin")
	if strings.Contains(b.page, "eyJ") { // how every JWT begins
		t.Error("the profile shows a token")
	}

	b.follow("Your page")
	b.wantAt("/home")
	b.wantText("Welcome home, Alice.")
	b.open(gallery["Gallery"])
	b.wantText("Hello, Alice.")

	b.open(gallery["Gallery"] + "/apis/get-current-user")
	var answer struct {
		User struct{ Username, UserID string }
	}
	if err := json.Unmarshal([]byte(b.page), &answer); err != nil || answer.User.Username == "" || answer.User.UserID == "" {
		t.Errorf("get-current-user answers %q (%v)", b.page, err)
	}

	b.open(gallery["Gallery"])
	b.follow("Sign out")
	b.wantAt("/sign-in")
	b.wantText("Come in.")
	b.follow("Your page")
	b.wantAt("/sign-in")
}

// The storeroom lets the members of a group in, and tells others why they are not.
func TestStoreroom(t *testing.T) {
	gallery := startGallery(t)
	for name, test := range map[string]struct {
		status int
		want   string
	}{
		"alice": {200, "Not on display"},
		"bob":   {403, "This room is for curators."},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			b.open(gallery["Gallery"])
			b.follow("Storeroom")
			b.wantAt("/sign-in")
			b.follow("Sign in")
			b.submit(map[string]string{"username": name + "@example.com", "password": seedPassword})
			b.wantAt("/storeroom")
			if b.status != test.status {
				t.Errorf("status %d, want %d", b.status, test.status)
			}
			b.wantText(test.want)
			if name == "bob" {
				if strings.Contains(b.page, "Not on display") {
					t.Error("the page shows the storeroom")
				}
				b.follow("Back to the entrance")
				b.wantAt("/")
			}
		})
	}
}

func TestSignUp(t *testing.T) {
	gallery := startGallery(t)
	b := newBrowser(t)
	b.open(gallery["Gallery"] + "/sign-in")
	b.follow("Sign up")
	b.submit(map[string]string{"username": "carol@example.com", "password": seedPassword, "password2": seedPassword, "attribute.name": "Carol"})

	inbox := newBrowser(t)
	inbox.open(gallery["Inbox"])
	inbox.wantText("carol@example.com")
	code := regexp.MustCompile(`\b\d{6}\b`).FindString(inbox.page)
	b.submit(map[string]string{"code": code})
	b.wantAt("/home")
	b.wantText("Welcome home, Carol.")
}

func TestSignInWithGoogle(t *testing.T) {
	gallery := startGallery(t)
	b := newBrowser(t)
	b.open(gallery["Gallery"] + "/sign-in")
	b.follow("Sign in with Google")
	b.submit(map[string]string{"name": "Dora", "email": "dora@example.com"})
	b.wantAt("/home")
	b.wantText("Welcome home, Dora.")
}

// Two people in two browsers never meet.
func TestTwoUsers(t *testing.T) {
	gallery := startGallery(t)
	browsers := map[string]*browser{"alice": newBrowser(t), "bob": newBrowser(t)}
	for name, b := range browsers {
		b.open(gallery["Gallery"] + "/api/auth/sign-in")
		b.submit(map[string]string{"username": name + "@example.com", "password": seedPassword})
	}
	for name, b := range browsers {
		b.open(gallery["Gallery"] + "/profile")
		b.wantText(name + "@example.com")
	}
}

func TestStrangers(t *testing.T) {
	gallery := startGallery(t)
	tests := map[string]struct {
		path, at string
		status   int
		want     string
	}{
		"room of a group":    {"/storeroom", "/sign-in", 200, `return_to=%2Fstoreroom"`},
		"protected page":     {"/home", "/sign-in", 200, `href="/api/auth/sign-in?return_to=%2Fhome"`},
		"unknown page":       {"/cellar", "/cellar", 404, "There is no such room."},
		"style":              {"/static/style.css", "/static/style.css", 200, "color-scheme"},
		"sign-in timed out":  {"/sign-in?error=timeout", "/sign-in", 200, "That took too long."},
		"sign-in refused":    {"/sign-in?error=access_denied", "/sign-in", 200, "You did not sign in."},
		"sign-in went wrong": {"/sign-in?error=invalid_grant", "/sign-in", 200, "Signing in did not work."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newBrowser(t)
			b.open(gallery["Gallery"] + test.path)
			b.wantAt(test.at)
			if b.status != test.status {
				t.Errorf("status %d, want %d", b.status, test.status)
			}
			b.wantText(test.want)
		})
	}

	t.Run("text of a link", func(t *testing.T) {
		b := newBrowser(t)
		b.open(gallery["Gallery"] + "/sign-in?error=x&error_description=Call+0900+123")
		if strings.Contains(b.page, "0900") {
			t.Error("the page says what a link made it say")
		}
	})

	t.Run("program", func(t *testing.T) {
		response, err := http.Get(gallery["Gallery"] + "/apis/get-current-user")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		if response.StatusCode != 401 || !strings.Contains(string(body), `"reason":"no_session"`) {
			t.Errorf("%d %s, want 401 and the reason", response.StatusCode, body)
		}
	})
}

// The poster is the same page for everyone, also for those who are signed in.
func TestPoster(t *testing.T) {
	gallery := startGallery(t)
	stranger, alice := newBrowser(t), newBrowser(t)
	alice.open(gallery["Gallery"] + "/api/auth/sign-in")
	alice.submit(map[string]string{"username": "alice@example.com", "password": seedPassword})
	stranger.open(gallery["Gallery"] + "/poster")
	stranger.wantText("The poster on the door.", "X-Amz-Signature", "poster.go")
	alice.open(gallery["Gallery"] + "/poster")
	if alice.page != stranger.page || strings.Contains(alice.page, "Alice") {
		t.Errorf("Alice gets %s\nstrangers get %s", alice.page, stranger.page)
	}
}

func TestProblemOf(t *testing.T) {
	tests := map[string]struct {
		err    error
		status int
		link   string
	}{
		"signed out meanwhile": {amplify.Unauthenticated(amplify.ReasonRefreshRejected, nil), 401, "/sign-in"},
		"not in the group":     {errClosed("curators"), 403, "/"},
		"role of no rule":      {&amplify.Error{Reason: amplify.ReasonNoAccessRule}, 403, "/"},
		"form too large":       {errNoForm(&http.MaxBytesError{Limit: 1}), 413, "/photos"},
		"no such photo":        {&amplify.Error{Reason: amplify.ReasonMissingOrForbidden}, 404, "/photos"},
		"user pool silent":     {&amplify.Error{Reason: amplify.ReasonServiceUnavailable}, 503, "/profile"},
		"keys unavailable":     {&amplify.Error{Reason: amplify.ReasonKeysUnavailable}, 503, "/profile"},
		"our fault":            {errors.New("a bug"), 500, "/profile"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := problemOf(test.err, "/profile")
			if p.Status != test.status || p.Link != test.link {
				t.Errorf("status %d, link %s; want %d, %s", p.Status, p.Link, test.status, test.link)
			}
			if p.Title == "" || p.Advice == "" || p.LinkText == "" {
				t.Errorf("%+v leaves the visitor without advice", p)
			}
		})
	}
}

// Whatever happens in a room, the visitor gets a page with advice, and no detail.
func TestBrokenRoom(t *testing.T) {
	pages, err := parsePages()
	if err != nil {
		t.Fatal(err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	g := &gallery{backend: &backend{}, pages: pages}
	rooms := map[string]func(*http.Request) (any, error){
		"panic":            func(*http.Request) (any, error) { panic("innards") },
		"error":            func(*http.Request) (any, error) { return nil, errors.New("innards") },
		"unfit for a page": func(*http.Request) (any, error) { return "innards", nil },
	}
	for name, gather := range rooms {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			g.page("account", gather).ServeHTTP(w, httptest.NewRequest("GET", "/home", nil))
			body := w.Body.String()
			if w.Code != 500 || !strings.Contains(body, "Something broke on our side.") || strings.Contains(body, "innards") {
				t.Errorf("status %d, want 500 and advice:\n%s", w.Code, body)
			}
		})
	}
}

func TestPortTaken(t *testing.T) {
	other, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var out strings.Builder
	listener, err := listen(other.Addr().String(), &out)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if !strings.Contains(out.String(), "is taken") || listener.Addr().String() == other.Addr().String() {
		t.Errorf("listens at %s, says %q", listener.Addr(), out.String())
	}
}
