// Command echo is a small application on Echo: who signs in is greeted.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

func main() {
	cfg, err := amplify.LoadConfig(cmp.Or(os.Getenv("AMPLIFY_OUTPUTS"), "amplify_outputs.json"))
	if err != nil {
		log.Fatal(err)
	}
	addr := "localhost:" + cmp.Or(os.Getenv("PORT"), "3000")
	origin := cmp.Or(os.Getenv("AMPLIFY_APP_ORIGIN"), "http://"+addr) // where browsers find it
	managedLogin := origin != "none"
	if !managedLogin { // Amplify JS signs users in, in the browser
		os.Unsetenv("AMPLIFY_APP_ORIGIN") // the default of Options.Origin
		origin = ""
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: origin})
	if err != nil {
		log.Fatal(err)
	}
	app, err := newApp(runner, managedLogin)
	if err != nil {
		log.Fatal(err)
	}
	log.Print("listening on http://" + addr)
	log.Fatal(http.ListenAndServe(addr, app))
}

// newApp returns the application, with or without routes to sign in by managed login.
func newApp(runner *amplifyhttp.ServerRunner, managedLogin bool) (http.Handler, error) {
	page, err1 := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	user, err2 := runner.RequireUser(amplifyhttp.Guard{})
	admin, err3 := runner.RequireGroup(amplifyhttp.Guard{}, "admins")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	e := echo.New()
	e.Use(middleware.Recover())
	e.Use(echo.WrapMiddleware(runner.Protect), echo.WrapMiddleware(runner.Middleware))
	e.Renderer = &echo.TemplateRenderer{Template: home}
	if managedLogin {
		routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
		if err != nil {
			return nil, err
		}
		e.Any("/api/auth/*", echo.WrapHandler(routes))
	}
	get := []string{http.MethodGet, http.MethodHead}
	e.Match(get, "/", greet)
	e.Match(get, "/home", greet, echo.WrapMiddleware(page)) // others are sent to sign in
	e.Match(get, "/me", me, echo.WrapMiddleware(user))      // others get status 401
	e.GET("/events", events, echo.WrapMiddleware(user))
	e.POST("/note", note, echo.WrapMiddleware(user))
	e.GET("/admin", onlyAdmins, echo.WrapMiddleware(admin))
	return e, nil
}

var home = template.Must(template.New("home").Parse(`<!doctype html>
<title>Home</title>
{{if .}}<p>Hello, {{.}}! <a href="/api/auth/sign-out">Sign out</a></p>
{{else}}<p>Welcome! <a href="/home">Sign in</a></p>
{{end}}`))

// greet greets the user. It is for everybody.
func greet(c *echo.Context) error {
	name := ""
	if user, err := auth.GetCurrentUser(c.Request().Context()); err == nil {
		name = cmp.Or(user.Name, user.Email, user.Username)
	}
	return c.Render(http.StatusOK, "home", name)
}

// identity is what /me answers.
type identity struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

func me(c *echo.Context) error {
	user, err := auth.GetCurrentUser(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, identity{user.Username, user.UserID})
}

func onlyAdmins(c *echo.Context) error {
	return c.String(http.StatusOK, "admins only\n")
}

// events sends Server-Sent Events. Asking for the user comes first: a refresh sets cookies, and
// the header can take none any more once it has been sent.
func events(c *echo.Context) error {
	ctx := c.Request().Context()
	user, err := auth.GetCurrentUser(ctx)
	if err != nil {
		return err
	}
	w := c.Response()
	w.Header().Set("Content-Type", "text/event-stream")
	for n := range 3 {
		if n > 0 {
			select {
			case <-ctx.Done(): // the client has hung up
				return nil
			case <-time.After(100 * time.Millisecond):
			}
		}
		_, _ = fmt.Fprintf(w, "data: %d %s\n\n", n+1, user.Username)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return nil
		}
	}
	return nil
}

// note keeps a note in a cookie.
func note(c *echo.Context) error {
	c.SetCookie(&http.Cookie{Name: "note", Value: url.QueryEscape(c.FormValue("note"))})
	return c.Redirect(http.StatusSeeOther, "/home")
}
