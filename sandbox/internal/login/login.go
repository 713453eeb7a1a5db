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

// Config is what managed login is made of.
type Config struct {
	// Pool and Store are required. Store is the one that Pool keeps its users in.
	Pool  *userpool.Pool
	Store *store.Store
	// Logger is told of what broke. The default is [slog.Default].
	Logger *slog.Logger
	// Inbox returns the address of the page that shows the codes that were sent, such as "/inbox".
	// Pages that ask for a code link to it. Nil means no link.
	Inbox func(*http.Request) string
}

// Handler serves managed login. It is safe for concurrent use.
type Handler struct {
	pool    *userpool.Pool
	store   *store.Store
	logger  *slog.Logger
	inbox   func(*http.Request) string
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
	return &Handler{cfg.Pool, cfg.Store, cfg.Logger, cfg.Inbox, ui.NewPages(pageFiles, "pages"), loadLocales()}
}

// Register adds the routes that the package comment lists to mux. The pages also
// need [ui.Assets].
func (h *Handler) Register(mux *http.ServeMux) {
	mux.Handle("GET /oauth2/authorize", h.within(h.authorize))
	mux.Handle("GET /login", h.within(h.showSignIn))
	mux.Handle("GET /logout", h.serve(h.logout))
	mux.Handle("GET /pretend/{provider}", h.within(h.showPretend))
	mux.Handle("POST /pretend/{provider}", h.form(h.pretend))

	mux.Handle("POST /login", h.form(own(h.signIn)))
	mux.Handle("GET /signup", h.within(own(h.showSignUp)))
	mux.Handle("POST /signup", h.form(own(h.signUp)))
	mux.Handle("GET /confirm", h.within(own(h.showConfirm)))
	mux.Handle("POST /confirm", h.form(own(h.confirm)))
	mux.Handle("POST /resendcode", h.form(own(h.resendCode)))
	mux.Handle("GET /forgotPassword", h.within(own(h.showForgot)))
	mux.Handle("POST /forgotPassword", h.form(own(h.forgot)))
	mux.Handle("GET /confirmForgotPassword", h.within(own(h.showReset)))
	mux.Handle("POST /confirmForgotPassword", h.form(own(h.reset)))
	mux.Handle("GET /newPassword", h.within(own(h.showNewPassword)))
	mux.Handle("POST /newPassword", h.form(own(h.newPassword)))

	mux.Handle("POST /oauth2/token", h.service(h.token))
	mux.Handle("OPTIONS /oauth2/token", preflight("POST"))
	mux.Handle("POST /oauth2/revoke", h.service(h.revoke))
	mux.Handle("OPTIONS /oauth2/revoke", preflight("POST"))
	mux.Handle("GET /oauth2/userInfo", h.service(h.userInfo))
	mux.Handle("POST /oauth2/userInfo", h.service(h.userInfo))
	mux.Handle("OPTIONS /oauth2/userInfo", preflight("GET, POST"))
}

// An exchange is one request of a browser and its response.
type exchange struct {
	*authRequest // that the page belongs to; nil before it is known to be valid
	w            http.ResponseWriter
	r            *http.Request
	loc          *locale
}

func (x *exchange) ctx() context.Context { return x.r.Context() }

// typed returns what was entered into a field that is not a password.
func (x *exchange) typed(field string) string { return strings.TrimSpace(x.r.PostForm.Get(field)) }

// redirect sends the browser on by GET, also after a form: 303 never resends a
// password (RFC 9700 §4.12). The target is sent as it is: it is one of our own, or
// was checked.
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
			// ServeMux takes GET for HEAD too, but a question must neither issue a
			// code nor end a session.
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

// within answers a request that belongs to an authorization request, which is
// validated anew each time.
func (h *Handler) within(f func(*exchange) error) http.Handler {
	return h.serve(func(x *exchange) error {
		req, err := parseRequest(x.r.URL.RawQuery, h.client)
		if err != nil {
			return err
		}
		x.authRequest = req
		return f(x)
	})
}

// form is within for a form that was submitted by the page that we sent.
func (h *Handler) form(f func(*exchange) error) http.Handler {
	return h.within(func(x *exchange) error {
		if err := ui.CheckForm(x.w, x.r); err != nil {
			return err
		}
		return f(x)
	})
}

// own is f for clients that offer the pool's own users. That others' pages do not
// link to f keeps nobody from asking for it.
func own(f func(*exchange) error) func(*exchange) error {
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
