package login

import (
	"context"
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/store"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Config configures managed login.
type Config struct {
	// Pool and Store are required. Store has the users of Pool.
	Pool  *userpool.Pool
	Store *store.Store
	// Logger gets a record of each failure. The default is [slog.Default].
	Logger *slog.Logger
	// Inbox returns the address of the page that shows the codes that were sent, such as "/inbox".
	// Pages that ask for a code link to it. Nil means no link.
	Inbox func(*http.Request) string
	// Console returns the address of the sandbox's console. The page about
	// an unknown address links to it. Nil means no link.
	Console func(*http.Request) string
}

// Handler serves managed login. It is safe for concurrent use.
type Handler struct {
	pool    *userpool.Pool
	store   *store.Store
	logger  *slog.Logger
	inbox   func(*http.Request) string
	console func(*http.Request) string
	pages   *ui.Pages
	locales map[string]*locale
}

//go:embed pages/*.html
var pageFiles embed.FS

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Handler{
		cfg.Pool, cfg.Store, cfg.Logger, cfg.Inbox, cfg.Console,
		ui.NewPages(pageFiles, "pages"), loadLocales(),
	}
}

// Register adds the routes that the package comment lists to mux. The pages also
// need [ui.Assets].
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle("GET /oauth2/authorize", h.withRequest(h.authorize))
	mux.Handle("GET /login", h.withRequest(h.showSignIn))
	mux.Handle("GET /logout", h.serve(h.logout))
	mux.Handle("GET /error", h.serve(h.showError))
	mux.Handle("GET /pretend/{provider}", h.withRequest(h.showPretend))
	mux.Handle("POST /pretend/{provider}", h.form(h.pretend))

	mux.Handle("POST /login", h.form(poolUsers(h.signIn)))
	mux.Handle("GET /signup", h.withRequest(poolUsers(h.showSignUp)))
	mux.Handle("POST /signup", h.form(poolUsers(h.signUp)))
	mux.Handle("GET /confirm", h.withRequest(poolUsers(h.showConfirm)))
	mux.Handle("POST /confirm", h.form(poolUsers(h.confirm)))
	mux.Handle("POST /resendcode", h.form(poolUsers(h.resendCode)))
	mux.Handle("GET /forgotPassword", h.withRequest(poolUsers(h.showForgot)))
	mux.Handle("POST /forgotPassword", h.form(poolUsers(h.forgot)))
	mux.Handle("GET /confirmForgotPassword", h.withRequest(poolUsers(h.showReset)))
	mux.Handle("POST /confirmForgotPassword", h.form(poolUsers(h.reset)))
	mux.Handle("GET /newPassword", h.withRequest(poolUsers(h.showNewPassword)))
	mux.Handle("POST /newPassword", h.form(poolUsers(h.newPassword)))

	mux.Handle("POST /oauth2/token", h.service(h.token))
	mux.Handle("OPTIONS /oauth2/token", preflight("POST"))
	mux.Handle("POST /oauth2/revoke", h.service(h.revoke))
	mux.Handle("OPTIONS /oauth2/revoke", preflight("POST"))
	mux.Handle("GET /oauth2/userInfo", h.service(h.userInfo))
	mux.Handle("POST /oauth2/userInfo", h.service(h.userInfo))
	mux.Handle("OPTIONS /oauth2/userInfo", preflight("GET, POST"))
}

// exchange is one request of a browser and its response.
type exchange struct {
	*authRequest // that the page belongs to; nil before it is known to be valid
	w            http.ResponseWriter
	r            *http.Request
	loc          *locale
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// typed returns the text of a field that is not a password.
func (x *exchange) typed(field string) string { return strings.TrimSpace(x.r.PostForm.Get(field)) }

// redirect sends the browser to target by GET. After a form it uses 303,
// so that the browser never sends a password again (RFC 9700 §4.12). The
// caller has checked target, or it is a page of the sandbox.
func (x *exchange) redirect(target string) {
	status := http.StatusFound
	if x.r.Method != http.MethodGet {
		status = http.StatusSeeOther
	}
	ui.Secure(x.w.Header())
	x.w.Header().Set("Location", target)
	x.w.WriteHeader(status)
}

// serve answers a request from a browser.
func (h *Handler) serve(f func(*exchange) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			// ServeMux uses the handler of GET for HEAD. A HEAD
			// request must neither issue a code nor end a session.
			w.Header().Set("Allow", http.MethodGet)
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		x := &exchange{w: w, r: r, loc: h.locale(w, r)}
		if err := f(x); err != nil {
			h.fail(x, err)
		}
	})
}

// withRequest returns a handler for requests that belong to an
// authorization request. It validates that request each time.
func (h *Handler) withRequest(f func(*exchange) error) http.Handler {
	return h.serve(func(x *exchange) error {
		req, err := h.parse(x.r.URL.RawQuery)
		if page := (*pageError)(nil); errors.As(err, &page) && x.r.Method == http.MethodGet {
			// Cognito, too, sends the browser to /error?error=<code>&client_id=<id>. The rest of
			// the query lets showError find the reason again.
			x.redirect("/error?error=" + page.Code + "&" + x.r.URL.RawQuery)
			return nil
		} else if err != nil {
			return err
		}
		x.authRequest = req
		return f(x)
	})
}

// showError shows what is wrong with the authorization request in the query.
func (h *Handler) showError(x *exchange) error {
	_, err := h.parse(x.r.URL.RawQuery)
	if page := (*pageError)(nil); errors.As(err, &page) {
		return page
	}
	return &pageError{"invalid_request", "This address belongs to a sign-in that has failed. Begin again in the application."}
}

// ServeNotFound shows that there is no page at the request's address, and ways back: to the sign-in
// page if the address has an authorization request, as that of a form has, and to the console.
func (h *Handler) ServeNotFound(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, r: r, loc: h.locale(w, r)}
	if req, err := h.parse(r.URL.RawQuery); err == nil {
		x.authRequest = req
	}
	v := view{}
	if h.console != nil {
		v.Data = h.console(r)
	}
	h.show(x, http.StatusNotFound, "problem_page", v)
}

// form is withRequest for a form of one of the pages.
func (h *Handler) form(f func(*exchange) error) http.Handler {
	return h.withRequest(func(x *exchange) error {
		if err := ui.CheckForm(x.w, x.r); err != nil {
			return err
		}
		return f(x)
	})
}

// poolUsers restricts f to clients that offer the pool's own users. The pages
// of other clients do not link to f, but browsers can still ask for it.
func poolUsers(f func(*exchange) error) func(*exchange) error {
	return func(x *exchange) error {
		if !x.offers(providerCognito) {
			return x.fail("unauthorized_client", "The client does not offer the identity provider COGNITO.")
		}
		return f(x)
	}
}

// fail answers a request that ended in an error.
func (h *Handler) fail(x *exchange, err error) {
	var page *pageError
	var redirect *redirectError
	switch {
	case errors.As(err, &redirect):
		x.redirect(redirect.target())
	case errors.As(err, &page):
		h.show(x, http.StatusBadRequest, "problem", view{Data: page})
	case errors.Is(err, ui.ErrForm):
		h.show(x, http.StatusForbidden, "problem_form", view{})
	case userpool.CodeOf(err) != "":
		// The pool changed between two pages: a user who was signing in is gone.
		h.show(x, http.StatusConflict, "problem_form", view{})
	default:
		h.logger.ErrorContext(x.ctx(), "managed login failed", "path", x.r.URL.Path, "error", err)
		h.show(x, http.StatusInternalServerError, "problem_server", view{})
	}
}
