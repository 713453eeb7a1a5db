package amplifyhttp_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"time"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/amplifyhttp"
	"github.com/amplify-go/amplify/auth"
)

// outputs is amplify_outputs.json. Programs embed the file:
//
//	//go:embed amplify_outputs.json
//	var outputs []byte
var outputs = []byte(`{
	"version": "1.4",
	"auth": {
		"aws_region": "eu-west-1",
		"user_pool_id": "eu-west-1_Example01",
		"user_pool_client_id": "exampleclient",
		"oauth": {
			"identity_providers": ["GOOGLE"],
			"domain": "auth.myapp.com",
			"scopes": ["openid", "email", "profile"],
			"redirect_sign_in_uri": ["https://myapp.com/api/auth/sign-in-callback"],
			"redirect_sign_out_uri": ["https://myapp.com/api/auth/sign-out-callback"],
			"response_type": "code"
		}
	}
}`)

// newRunner returns the runner of the examples.
func newRunner() *amplifyhttp.ServerRunner {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{
		Origin: "https://myapp.com", // or leave it to AMPLIFY_APP_ORIGIN
		Cookies: amplifyhttp.CookieOptions{
			Domain:   ".myapp.com", // makes the session visible to all subdomains
			SameSite: http.SameSiteStrictMode,
			MaxAge:   7 * 24 * time.Hour,
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return runner
}

// A whole server: sign-in through managed login, and a page that greets the user.
func Example() {
	runner := newRunner()
	defer runner.Close(context.Background())

	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
		RedirectOnSignInComplete:  "/home",
		RedirectOnSignOutComplete: "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/api/auth/sign-in"})
	if err != nil {
		log.Fatal(err)
	}
	home := func(w http.ResponseWriter, r *http.Request) {
		user, err := auth.GetCurrentUser(r.Context())
		if err != nil {
			http.Error(w, "Something went wrong.", http.StatusInternalServerError)
			return
		}
		page := template.Must(template.New("").Parse(`<p>Hello, {{.Username}}</p> <a href="/api/auth/sign-out">Sign out</a>`))
		if err := page.Execute(w, user); err != nil {
			log.Print(err)
		}
	}

	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.Handle("/home", signedIn(http.HandlerFunc(home)))

	server := &http.Server{Addr: ":3000", Handler: runner.Protect(runner.Middleware(mux)), ReadHeaderTimeout: 10 * time.Second}
	_ = server // server.ListenAndServe()
}

// Hooks: an account for each user who signs in, and a log of who signs out.
func ExampleAuthRoutesOptions() {
	runner := newRunner()
	defer runner.Close(context.Background())
	var db *sql.DB // open it at the start of the program

	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{
		RedirectOnSignInComplete:  "/home",
		RedirectOnSignOutComplete: "/api/auth/signed-out", // a page of the library
		AfterSignIn: func(ctx context.Context) error {
			user, err := auth.GetCurrentUser(ctx)
			if err != nil {
				return err
			}
			attributes, err := auth.FetchUserAttributes(ctx)
			if err != nil {
				return err
			}
			// Without an account nobody is signed in.
			_, err = db.ExecContext(ctx, `INSERT INTO accounts (id, email) VALUES ($1, $2)
				ON CONFLICT (id) DO UPDATE SET email = excluded.email`, user.UserID, attributes["email"])
			return err
		},
		BeforeSignOut: func(ctx context.Context) error {
			user, err := auth.GetCurrentUser(ctx)
			if err != nil {
				return err
			}
			slog.InfoContext(ctx, "signing out", "user", user.UserID)
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/api/auth/", routes)
}

// The library's small pages in the application's own clothes.
func ExamplePage() {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	page := template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="{{.Lang}}">
<title>{{.Title}} - My App</title>
<link rel="stylesheet" href="/static/app.css">
<main class="{{.Name}}">
<h1>{{.Title}}</h1>
<p>{{.Text}}</p>
{{if .Link}}<a href="{{.Link}}">{{.LinkText}}</a>{{end}}
</main>
`))
	runner, err := amplifyhttp.NewServerRunner(cfg, amplifyhttp.Options{Origin: "https://myapp.com", PageTemplate: page})
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close(context.Background())
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{})
	if err != nil {
		log.Fatal(err)
	}

	r := httptest.NewRequest(http.MethodGet, "/notes", nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Accept-Language", "es")
	w := httptest.NewRecorder()
	signedIn(http.NotFoundHandler()).ServeHTTP(w, r)
	fmt.Println(w.Code)
	fmt.Print(w.Body)
	// Output:
	// 401
	// <!DOCTYPE html>
	// <html lang="es">
	// <title>Inicie sesión - My App</title>
	// <link rel="stylesheet" href="/static/app.css">
	// <main class="sign-in-needed">
	// <h1>Inicie sesión</h1>
	// <p>Esta página es para usuarios que han iniciado sesión.</p>
	// <a href="/api/auth/sign-in?return_to=%2Fnotes">Iniciar sesión</a>
	// </main>
}

// The links of a sign-in page. Users come back to where they wanted to go.
func ExampleServerRunner_SignInURL() {
	runner := newRunner()
	defer runner.Close(context.Background())

	r := httptest.NewRequest(http.MethodGet, "https://myapp.com/sign-in?return_to=%2Fnotes", nil)
	fmt.Println(runner.SignInURL(r, amplifyhttp.SignInLink{}))
	fmt.Println(runner.SignInURL(r, amplifyhttp.SignInLink{Provider: "Google"}))
	fmt.Println(runner.SignInURL(r, amplifyhttp.SignInLink{SignUp: true, Lang: "fr"}))
	// Output:
	// /api/auth/sign-in?return_to=%2Fnotes
	// /api/auth/sign-in?provider=Google&return_to=%2Fnotes
	// /api/auth/sign-up?lang=fr&return_to=%2Fnotes
}

// A guard around a whole mux, with exceptions: what middleware.ts and its matcher do in Next.js.
func ExampleServerRunner_RequireUser() {
	runner := newRunner()
	defer runner.Close(context.Background())

	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "welcome") })
	guard, err := runner.RequireUser(amplifyhttp.Guard{
		SignIn: "/sign-in", // never guarded itself
		Except: []string{"/api/", "/static/", "/favicon.ico"},
	})
	if err != nil {
		log.Fatal(err)
	}
	guarded := guard(mux)

	for _, path := range []string{"/notes?page=2", "/sign-in", "/static/app.css"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Sec-Fetch-Mode", "navigate") // a browser opens a page
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, r)
		fmt.Printf("%s %d %q\n", path, w.Code, w.Header().Get("Location"))
	}
	// Output:
	// /notes?page=2 303 "/sign-in?return_to=%2Fnotes%3Fpage%3D2"
	// /sign-in 200 ""
	// /static/app.css 200 ""
}

// An application below a prefix that a proxy takes off, as nginx does with
//
//	location /app/ {
//		proxy_pass http://127.0.0.1:3000/;
//		proxy_set_header Host $host;
//	}
//
// Its redirect URLs are as browsers see them: https://myapp.com/app/api/auth/sign-in-callback. All
// other paths are as the application sees them.
func ExampleNewServerRunner_basePath() {
	runner, err := amplifyhttp.NewServerRunner(configBelow("/app"), amplifyhttp.Options{
		Origin:   "https://myapp.com",
		BasePath: "/app",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close(context.Background())

	printRedirect(application(runner), "/notes") // the proxy has taken "/app" off
	// Output: /app/sign-in?return_to=%2Fapp%2Fnotes
}

// An application below a prefix that http.StripPrefix takes off. No option is needed: Middleware
// sees by the request what has been taken off in front of it.
func ExampleServerRunner_Middleware_stripPrefix() {
	runner, err := amplifyhttp.NewServerRunner(configBelow("/app"), amplifyhttp.Options{Origin: "https://myapp.com"})
	if err != nil {
		log.Fatal(err)
	}
	defer runner.Close(context.Background())

	mux := http.NewServeMux()
	mux.Handle("/app/", http.StripPrefix("/app", application(runner)))

	printRedirect(mux, "/app/notes")
	// Output: /app/sign-in?return_to=%2Fapp%2Fnotes
}

// configBelow returns the configuration of an application below a prefix.
func configBelow(prefix string) amplify.Config {
	cfg, err := amplify.ParseConfig(outputs)
	if err != nil {
		log.Fatal(err)
	}
	cfg.Auth.OAuth.RedirectSignIn = []string{"https://myapp.com" + prefix + "/api/auth/sign-in-callback"}
	cfg.Auth.OAuth.RedirectSignOut = []string{"https://myapp.com" + prefix + "/api/auth/sign-out-callback"}
	return cfg
}

// application returns an application that does not know its prefix.
func application(runner *amplifyhttp.ServerRunner) http.Handler {
	routes, err := runner.AuthRoutes(amplifyhttp.AuthRoutesOptions{RedirectOnSignInComplete: "/notes"})
	if err != nil {
		log.Fatal(err)
	}
	signedIn, err := runner.RequireUser(amplifyhttp.Guard{SignIn: "/sign-in"})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/api/auth/", routes)
	mux.HandleFunc("/sign-in", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `<a href="%s">Sign in</a>`, template.HTMLEscapeString(runner.SignInURL(r, amplifyhttp.SignInLink{})))
	})
	mux.Handle("/notes", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "notes") })))
	return runner.Middleware(mux)
}

// printRedirect prints where a browser is sent that opens a page.
func printRedirect(h http.Handler, page string) {
	r := httptest.NewRequest(http.MethodGet, page, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Location"))
}

// A route that tells a script who is signed in: GET /apis/get-current-user.
func ExampleServerRunner_Middleware() {
	runner := newRunner()
	defer runner.Close(context.Background())

	h := runner.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, err := auth.GetCurrentUser(r.Context())
		if errors.Is(err, amplify.ErrUnauthenticated) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, amplify.ReasonOf(err))
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"user": user})
	}))

	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/apis/get-current-user", nil))
	fmt.Println(w.Code, w.Body)
	// Output: 401 no_session
}

// An operation by hand, without Middleware.
func ExampleRunWithServerContext() {
	runner := newRunner()
	defer runner.Close(context.Background())

	handler := func(w http.ResponseWriter, r *http.Request) {
		authenticated, err := amplifyhttp.RunWithServerContext(runner, amplifyhttp.ReadWrite(w, r), func(ctx context.Context) (bool, error) {
			session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
			if err != nil {
				return false, err
			}
			return session.Tokens != nil, nil
		})
		fmt.Println(authenticated, err)
	}
	handler(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	// Output: false <nil>
}

// The wrong way: a goroutine that outlives its handler, with the handler's context. It gets no
// user: the context has ended with the request.
func ExampleServerRunner_Middleware_wrong() {
	runner := newRunner()
	defer runner.Close(context.Background())

	answered, done := make(chan struct{}), make(chan struct{})
	h := runner.Middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		go func() {
			defer close(done)
			<-answered
			_, err := auth.GetCurrentUser(r.Context())
			fmt.Println(amplify.ReasonOf(err))
		}()
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
	close(answered)
	<-done
	// Output: server_context_closed
}

// A proxy in front of another server of the same app client, a Next.js application perhaps. It
// passes the session on as it is after a refresh, without the refresh token.
func ExampleServerRunner_ForwardSession() {
	runner := newRunner()
	defer runner.Close(context.Background())

	inner, err := url.Parse("http://127.0.0.1:3001")
	if err != nil {
		log.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(inner)
		p.SetXForwarded() // Next.js compares the host with the Origin of server actions
		if err := runner.ForwardSession(p.In, p.Out, amplifyhttp.ForwardOptions{}); err != nil {
			// The other server sees a visitor who is not signed in.
			log.Print(err)
		}
	}}
	http.Handle("/", runner.Middleware(proxy))
}
