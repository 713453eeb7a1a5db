// Command fiber is a small application on Fiber v3 and html/template: who signs in is greeted.
package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"log"
	"net/url"
	"os"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyfiber"
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
	runner, err := amplifyfiber.NewServerRunner(cfg, amplifyfiber.Options{Origin: origin})
	if err != nil {
		log.Fatal(err)
	}
	app, err := newApp(runner, managedLogin)
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(app.Listen(addr))
}

// newApp returns the application, with or without routes to sign in by managed login.
func newApp(runner *amplifyfiber.ServerRunner, managedLogin bool) (*fiber.App, error) {
	page, err1 := runner.RequireUser(amplifyfiber.Guard{SignIn: "/api/auth/sign-in"})
	user, err2 := runner.RequireUser(amplifyfiber.Guard{})
	admin, err3 := runner.RequireGroup(amplifyfiber.Guard{}, "admins")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	app := fiber.New(fiber.Config{
		ReadBufferSize: amplifyfiber.ReadBufferSize, // Fiber's default is too small for a session
		ErrorHandler:   failed,
	})
	app.Use(recover.New(), runner.Protect, runner.Middleware)
	if managedLogin {
		routes, err := runner.AuthRoutes(amplifyfiber.AuthRoutesOptions{
			RedirectOnSignInComplete:  "/home",
			RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
		if err != nil {
			return nil, err
		}
		app.All("/api/auth/*", routes)
	}
	app.Get("/", greet)
	app.Get("/home", page, greet) // others are sent to sign in
	app.Get("/me", user, me)      // others get status 401
	app.Get("/events", user, events)
	app.Post("/note", user, note)
	app.Get("/admin", admin, onlyAdmins)
	return app, nil
}

// failed answers if a handler returns an error or panics. What went wrong is not for users.
func failed(c fiber.Ctx, err error) error {
	if e := (*fiber.Error)(nil); errors.As(err, &e) {
		return c.Status(e.Code).SendString(e.Message)
	}
	log.Print(err)
	return c.Status(fiber.StatusInternalServerError).SendString("Something went wrong.")
}

var home = template.Must(template.New("home").Parse(`<!doctype html>
<title>Home</title>
{{if .}}<p>Hello, {{.}}! <a href="/api/auth/sign-out">Sign out</a></p>
{{else}}<p>Welcome! <a href="/home">Sign in</a></p>
{{end}}`))

// greet greets the user. It is for everybody.
func greet(c fiber.Ctx) error {
	name := ""
	if user, err := auth.GetCurrentUser(c.Context()); err == nil {
		name = cmp.Or(user.Name, user.Email, user.Username)
	}
	return home.Execute(c.Type("html", "utf-8"), name)
}

// identity is what /me answers.
type identity struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

func me(c fiber.Ctx) error {
	user, err := auth.GetCurrentUser(c.Context())
	if err != nil {
		return err
	}
	return c.JSON(identity{user.Username, user.UserID}, "application/json")
}

func onlyAdmins(c fiber.Ctx) error { return c.SendString("admins only\n") }

// events sends Server-Sent Events. Asking for the user comes first: a refresh sets cookies, and the
// stream begins when the header has been sent.
func events(c fiber.Ctx) error {
	user, err := auth.GetCurrentUser(c.Context())
	if err != nil {
		return err
	}
	c.Set("Content-Type", "text/event-stream")
	return c.SendStreamWriter(func(w *bufio.Writer) {
		for n := range 3 {
			if n > 0 {
				time.Sleep(100 * time.Millisecond)
			}
			_, _ = fmt.Fprintf(w, "data: %d %s\n\n", n+1, user.Username)
			if err := w.Flush(); err != nil {
				return // the client has hung up
			}
		}
	})
}

// note keeps a note in a cookie.
func note(c fiber.Ctx) error {
	c.Cookie(&fiber.Cookie{Name: "note", Value: url.QueryEscape(c.FormValue("note"))})
	return c.Redirect().To("/home")
}
