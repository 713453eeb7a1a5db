// Command fiber is a small application on Fiber v3, whose users sign in through managed login.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"html/template"
	"log"
	"net/url"
	"os"

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
	if origin == "none" {
		origin = "" // Amplify JS signs users in, in the browser
		_ = os.Unsetenv("AMPLIFY_APP_ORIGIN")
	}
	runner, err := amplifyfiber.NewServerRunner(cfg, amplifyfiber.Options{Origin: origin})
	if err != nil {
		log.Fatal(err)
	}
	app, err := newApp(runner, origin != "")
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(app.Listen(addr))
}

// newApp returns the application. With managedLogin it signs users in itself.
func newApp(runner *amplifyfiber.ServerRunner, managedLogin bool) (*fiber.App, error) {
	signedIn, err := runner.RequireUser(amplifyfiber.Guard{})
	if err != nil {
		return nil, err
	}
	orSignIn, err := runner.RequireUser(amplifyfiber.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		return nil, err
	}
	admins, err := runner.RequireGroup(amplifyfiber.Guard{}, "admins")
	if err != nil {
		return nil, err
	}
	app := fiber.New(fiber.Config{ReadBufferSize: amplifyfiber.ReadBufferSize}) // for the cookies of sessions
	app.Use(recover.New(), runner.Protect, runner.Middleware)
	if managedLogin {
		routes, err := runner.AuthRoutes(amplifyfiber.AuthRoutesOptions{
			RedirectOnSignInComplete: "/home", RedirectOnSignOutComplete: "/api/auth/signed-out",
		})
		if err != nil {
			return nil, err
		}
		app.All("/api/auth/*", routes) // sign-in, sign-up, sign-out and their callbacks
	}
	app.Get("/", welcome)
	app.Get("/home", orSignIn, welcome) // others are sent to sign in
	app.Get("/me", signedIn, me)
	app.Get("/admin", admins, func(c fiber.Ctx) error { return c.SendString("admins only") })
	app.Get("/events", signedIn, events)
	app.Post("/note", signedIn, note)
	app.Get("/bare", func(c fiber.Ctx) error {
		return c.JSON(user{"alice", "6f8b1c2a-1111-4222-8333-000000000000"})
	})
	return app, nil
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<title>Fiber</title>
{{if .}}<p>Hello, {{.}}! <a href="/api/auth/sign-out">Sign out</a></p>
{{else}}<p>Welcome! <a href="/home">Sign in</a></p>
{{end}}`))

// welcome greets by name, if somebody is signed in.
func welcome(c fiber.Ctx) error {
	name := ""
	if user, err := auth.GetCurrentUser(c.Context()); err == nil {
		name = user.Username
	}
	c.Type("html", "utf-8")
	return page.Execute(c, name)
}

type user struct {
	Username string `json:"username"`
	UserID   string `json:"userId"`
}

func me(c fiber.Ctx) error {
	u, err := auth.GetCurrentUser(c.Context())
	if err != nil {
		return err
	}
	return c.JSON(user{u.Username, u.UserID})
}

// events sends three events. Whoever streams asks for the user first: the stream begins when the
// cookies of a refreshed session have been sent.
func events(c fiber.Ctx) error {
	user, err := auth.GetCurrentUser(c.Context())
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	return c.SendStreamWriter(func(w *bufio.Writer) {
		for n := range 3 {
			fmt.Fprintf(w, "data: %d %s\n\n", n+1, user.Username)
			if err := w.Flush(); err != nil {
				return // the client has hung up
			}
		}
	})
}

// note keeps the value of a form in a cookie of its own.
func note(c fiber.Ctx) error {
	c.Cookie(&fiber.Cookie{Name: "note", Value: url.QueryEscape(c.FormValue("note")), Path: "/", HTTPOnly: true})
	return c.Redirect().To("/home")
}
