package amplifyfiber

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
	"github.com/amplify-go/amplify/internal/flowtest"
)

const testPrefix = flowtest.Prefix

// private is the Cache-Control of what depends on a session.
const private = "private, no-store"

var (
	request, setCookies  = flowtest.Request, flowtest.SetCookies
	navigation, fromAfar = flowtest.Navigation, flowtest.FromAfar
)

// fixture is a runner on a backend of the tests.
type fixture struct {
	*ServerRunner
	backend  *flowtest.Backend
	upstream *conformance.Upstream
}

// newFixture returns a runner. change may alter its configuration and options.
func newFixture(
	t testing.TB, answers map[string][]conformance.Answer,
	change func(*amplify.Config, *Options),
) *fixture {
	t.Helper()
	b := flowtest.New(t, answers)
	o := Options{Origin: flowtest.Origin, App: b.App}
	if change != nil {
		change(&b.Config, &o)
	}
	runner, err := NewServerRunner(b.Config, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := runner.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &fixture{runner, b, b.Upstream}
}

// newApp returns an application with room for sessions. A panic is answered.
func newApp(change ...func(*fiber.Config)) *fiber.App {
	cfg := fiber.Config{ReadBufferSize: ReadBufferSize}
	for _, change := range change {
		change(&cfg)
	}
	app := fiber.New(cfg)
	app.Use(recover.New())
	return app
}

// serve answers r by app.
func serve(t testing.TB, app *fiber.App, r *http.Request) *http.Response {
	t.Helper()
	w, err := app.Test(r, fiber.TestConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// raw sends a request as it is written. There is no answer to one that fasthttp cannot read.
func raw(t testing.TB, app *fiber.App, lines string) {
	t.Helper()
	app.Handler() // builds the routes
	r, w := net.Pipe()
	go func() {
		_, _ = w.Write([]byte(lines))
		_, _ = http.ReadResponse(bufio.NewReader(w), nil)
		_ = w.Close()
	}()
	_ = app.Server().ServeConn(r)
	_ = r.Close()
}

// body reads a response.
func body(t testing.TB, w *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func ok(c fiber.Ctx) error { return c.SendStatus(http.StatusNoContent) }

// must returns the handler of a guard.
func must(guard fiber.Handler, err error) fiber.Handler {
	if err != nil {
		panic(err)
	}
	return guard
}
