package amplifyfiber

import (
	"net/http"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/amplify-go/amplify/auth"
)

// BenchmarkMe compares a handler that asks who sent the request, in a warm session and with its
// middleware, with one that merely writes the same. There is no connection: only handlers are
// measured.
func BenchmarkMe(b *testing.B) {
	f := newFixture(b, nil, nil)
	cookies := f.backend.Session("alice", time.Hour, nil) +
		"; theme=dark; _ga=GA1.1.1234567890.1234567890"
	write := func(c fiber.Ctx, username, id string) error {
		return c.JSON(map[string]string{"username": username, "userId": id})
	}
	bare := func(c fiber.Ctx) error { return write(c, "alice", "sub-of-alice") }
	me := func(c fiber.Ctx) error {
		user, err := auth.GetCurrentUser(c.Context())
		if err != nil {
			return err
		}
		return write(c, user.Username, user.UserID)
	}
	guard := must(f.RequireUser(Guard{SignIn: "/sign-in"}))
	for name, handlers := range map[string][]any{
		"bare":    {bare},
		"unused":  {f.Middleware, bare},
		"me":      {f.Middleware, me},
		"guarded": {f.Middleware, guard, me},
	} {
		b.Run(name, func(b *testing.B) {
			app := newApp()
			app.Use(handlers...)
			handler := app.Handler()
			ctx := &fasthttp.RequestCtx{}
			b.ReportAllocs()
			for b.Loop() {
				ctx.Request.Reset()
				ctx.Response.Reset()
				ctx.Request.SetRequestURI("/me")
				ctx.Request.Header.SetHost("myapp.com")
				ctx.Request.Header.Set("Cookie", cookies)
				handler(ctx)
				if ctx.Response.StatusCode() != http.StatusOK {
					b.Fatal(ctx.Response.StatusCode())
				}
			}
		})
	}
}
