package main

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyfiber"
	"github.com/amplify-go/amplify/internal/frameworktest"
)

func TestApplication(t *testing.T) { frameworktest.Run(t, serve(newApp)) }

func BenchmarkMe(b *testing.B) { frameworktest.Benchmark(b, serve(newApp), serve(newBare)) }

// newBare returns an application with nothing but /me, which answers without the library.
func newBare(*amplifyfiber.ServerRunner, bool) (*fiber.App, error) {
	somebody := identity{"alice", "6f8b1c2a-1111-4222-8333-000000000000"}
	app := fiber.New(fiber.Config{ReadBufferSize: amplifyfiber.ReadBufferSize})
	app.Use(recover.New())
	app.Get("/me", func(c fiber.Ctx) error { return c.JSON(somebody, "application/json") })
	return app, nil
}

// serve returns what serves the applications that newApp makes.
func serve(newApp func(*amplifyfiber.ServerRunner, bool) (*fiber.App, error)) frameworktest.Serve {
	return func(t testing.TB, cfg amplify.Config, o amplifyfiber.Options) (address string) {
		runner, err := amplifyfiber.NewServerRunner(cfg, o)
		if err != nil {
			t.Fatal(err)
		}
		app, err := newApp(runner, o.Origin != "")
		if err != nil {
			t.Fatal(err)
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		quiet := fiber.ListenConfig{DisableStartupMessage: true}
		go func() { served <- app.Listener(listener, quiet) }()
		t.Cleanup(func() {
			err := errors.Join(app.Shutdown(), <-served, runner.Close(context.Background()))
			if err != nil {
				t.Error(err)
			}
		})
		return listener.Addr().String()
	}
}
