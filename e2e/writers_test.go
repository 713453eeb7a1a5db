package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"

	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/internal/testpool"
)

// TestOtherWriters runs, below Middleware, what other libraries do with a ResponseWriter: Gin's
// Stream, which wants to hear that the client has gone, and the upgrade of gorilla/websocket, which
// writes the header by hand. The refreshed cookies are in the header of both.
func TestOtherWriters(t *testing.T) {
	whoami := func(r *http.Request) string {
		user, err := auth.GetCurrentUser(r.Context())
		if err != nil {
			t.Error(err)
			return ""
		}
		return user.Username
	}
	t.Run("gin", func(t *testing.T) {
		gin.SetMode(gin.ReleaseMode)
		engine := gin.New()
		engine.GET("/", func(c *gin.Context) {
			name, lines := whoami(c.Request), 0
			c.Stream(func(w io.Writer) bool {
				_, _ = io.WriteString(w, name+"\n")
				lines++
				return lines < 3
			})
		})
		server, cookies := expiredSession(t, engine)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookies)
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		if body, err := io.ReadAll(w.Body); string(body) != "alice\nalice\nalice\n" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
		wantRefreshed(t, w)
	})
	t.Run("gorilla/websocket", func(t *testing.T) {
		upgrader := websocket.Upgrader{}
		server, cookies := expiredSession(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := whoami(r)
			conn, err := upgrader.Upgrade(w, r, w.Header())
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			if err := conn.WriteMessage(websocket.TextMessage, []byte(name)); err != nil {
				t.Error(err)
			}
		}))
		conn, w, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), http.Header{"Cookie": {cookies}})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, message, err := conn.ReadMessage(); string(message) != "alice" || err != nil {
			t.Errorf("%q, %v", message, err)
		}
		wantRefreshed(t, w)
	})
}

// expiredSession returns a server with handler below Middleware, and the cookies of an expired
// session, which the first request refreshes.
func expiredSession(t *testing.T, handler http.Handler) (server *httptest.Server, cookies string) {
	pool := testpool.New(t)
	pool.OnRefresh(func(map[string]any) testpool.Answer { return pool.Refreshed(testpool.Alice, "") })
	runner, err := amplifyhttp.NewServerRunner(pool.Config(), amplifyhttp.Options{App: pool.Options()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runner.Close(t.Context()) })
	server = httptest.NewServer(runner.Middleware(handler))
	t.Cleanup(server.Close)
	past := testpool.Claim{Name: "exp", Value: pool.Now().Unix() - 1}
	return server, testpool.Cookies(testpool.Alice, pool.Access(testpool.Alice, past), pool.ID(testpool.Alice, past), "refresh-1")
}

func wantRefreshed(t *testing.T, w *http.Response) {
	t.Helper()
	set := strings.Join(w.Header["Set-Cookie"], "\n")
	if !strings.Contains(set, testpool.Prefix+"alice.accessToken=") || w.Header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("header %v", w.Header)
	}
}
