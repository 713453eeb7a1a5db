// Command gin is a small application on Gin: who signs in is greeted.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/gin-gonic/gin"

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
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Recovery())
	engine.SetHTMLTemplate(home)
	if managedLogin {
		routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
		if err != nil {
			return nil, err
		}
		engine.Any("/api/auth/*route", gin.WrapH(routes))
	}
	get := []string{http.MethodGet, http.MethodHead}
	engine.Match(get, "/", greet)
	engine.Match(get, "/home", guard(page), greet) // others are sent to sign in
	engine.GET("/admin", guard(admin), onlyAdmins)
	users := engine.Group("/", guard(user)) // others get status 401
	users.Match(get, "/me", me)
	users.GET("/events", events)
	users.POST("/note", note)

	// The runner stands outside of Gin: its response writer, which adds the cookies of a session
	// that has been refreshed, must be the one below Gin's own.
	return runner.Protect(runner.Middleware(engine)), nil
}

// guard makes a guard a middleware of Gin's. It is for routes below the runner's Middleware, where
// guards pass request and response on as they are.
func guard(require func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			passed = true
		})).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

var home = template.Must(template.New("home").Parse(`<!doctype html>
<title>Home</title>
{{if .}}<p>Hello, {{.}}! <a href="/api/auth/sign-out">Sign out</a></p>
{{else}}<p>Welcome! <a href="/home">Sign in</a></p>
{{end}}`))

// greet greets the user. It is for everybody.
//
// The context is that of the request, and not c: Gin uses c again for other requests, so that a
// goroutine which is left behind would act as another user.
func greet(c *gin.Context) {
	name := ""
	if user, err := auth.GetCurrentUser(c.Request.Context()); err == nil {
		name = cmp.Or(user.Name, user.Email, user.Username)
	}
	c.HTML(http.StatusOK, "home", name)
}

// identity is what /me answers.
type identity struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

func me(c *gin.Context) {
	user, err := auth.GetCurrentUser(c.Request.Context())
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.JSON(http.StatusOK, identity{user.Username, user.UserID})
}

func onlyAdmins(c *gin.Context) {
	c.String(http.StatusOK, "admins only\n")
}

// events sends Server-Sent Events. Asking for the user comes first: a refresh sets cookies, and
// the header can take none any more once it has been sent.
func events(c *gin.Context) {
	user, err := auth.GetCurrentUser(c.Request.Context())
	if err != nil {
		c.AbortWithStatus(http.StatusInternalServerError)
		return
	}
	c.Header("Content-Type", "text/event-stream")
	for n := range 3 {
		if n > 0 {
			select {
			case <-c.Request.Context().Done(): // the client has hung up
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
		_, _ = fmt.Fprintf(c.Writer, "data: %d %s\n\n", n+1, user.Username)
		c.Writer.Flush()
	}
}

// note keeps a note in a cookie.
func note(c *gin.Context) {
	c.SetCookie("note", c.PostForm("note"), 0, "", "", false, false) // escapes the value
	c.Redirect(http.StatusSeeOther, "/home")
}
