package console

import (
	"embed"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/amplify-go/amplify/sandbox/faults"
	"github.com/amplify-go/amplify/sandbox/internal/appsync"
	"github.com/amplify-go/amplify/sandbox/internal/appsync/items"
	"github.com/amplify-go/amplify/sandbox/internal/calls"
	"github.com/amplify-go/amplify/sandbox/internal/clock"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
	"github.com/amplify-go/amplify/sandbox/internal/userpool"
)

// Config configures a console.
type Config struct {
	// Pool, Faults and Clock are required.
	Pool   *userpool.Pool
	Faults *faults.Set
	Clock  *clock.Clock
	// Storage has the buckets to show. It may be nil.
	Storage *Storage
	// Data is the GraphQL API to show. It may be nil.
	Data *appsync.API
	// Calls has the calls to show. It may be nil.
	Calls *calls.Log
	// Outputs returns the outputs file. It may be nil.
	Outputs func() []byte
	// Login is the address of managed login, such as "http://localhost:4000".
	// The default is the address at which the console is read.
	Login string
	// Logger gets a record of each failure. The default is [slog.Default].
	Logger *slog.Logger
}

// Handler serves the console. It is safe for concurrent use.
type Handler struct {
	Config
	pages *ui.Pages
}

//go:embed pages/*.html
var pageFiles embed.FS

// New returns a handler.
func New(cfg Config) *Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return &Handler{cfg, ui.NewPages(pageFiles, "pages")}
}

// Register adds the routes that the package comment lists to mux. The pages also
// need [ui.Assets].
func (h *Handler) Register(mux *http.ServeMux) {
	overview := page{"overview", h.overview}
	mux.Handle("GET /console", h.get(overview))
	mux.Handle("POST /console/keys/rotate", h.post(overview, h.rotateKeys))
	mux.Handle("GET /console/calls", h.get(page{"calls", h.calls}))
	mux.Handle("GET /console/outputs", h.get(page{"outputs", h.outputs}))
	mux.Handle("GET /inbox", h.get(page{"inbox", h.inbox}))
	h.registerStorage(mux)
	h.registerData(mux)

	users := page{"users", h.users}
	mux.Handle("GET /console/users", h.get(users))
	mux.Handle("POST /console/users", h.post(users, h.createUser))
	user := page{"user", h.user}
	mux.Handle("GET /console/users/{sub}", h.get(user))
	mux.Handle("POST /console/users/{sub}/confirm", h.post(user, h.confirmUser))
	mux.Handle("POST /console/users/{sub}/enable", h.post(user, h.enableUser))
	mux.Handle("POST /console/users/{sub}/disable", h.post(user, h.disableUser))
	mux.Handle("POST /console/users/{sub}/password", h.post(user, h.setPassword))
	mux.Handle("POST /console/users/{sub}/reset", h.post(user, h.resetPassword))
	mux.Handle("POST /console/users/{sub}/sign-out", h.post(user, h.signOut))
	mux.Handle("POST /console/users/{sub}/attributes", h.post(user, h.changeAttributes))
	mux.Handle("POST /console/users/{sub}/groups/add", h.post(user, h.addToGroup))
	mux.Handle("POST /console/users/{sub}/groups/remove", h.post(user, h.removeFromGroup))
	deleteUser := page{"ask", h.askDeleteUser}
	mux.Handle("GET /console/users/{sub}/delete", h.get(deleteUser))
	mux.Handle("POST /console/users/{sub}/delete", h.post(deleteUser, h.deleteUser))

	groups := page{"groups", h.groups}
	mux.Handle("GET /console/groups", h.get(groups))
	mux.Handle("POST /console/groups", h.post(groups, h.createGroup))
	// The name of a group can be "..", which cannot be a segment of a path.
	group := page{"group", h.group}
	mux.Handle("GET /console/group", h.get(group))
	mux.Handle("POST /console/group", h.post(group, h.changeGroup))
	deleteGroup := page{"ask", h.askDeleteGroup}
	mux.Handle("GET /console/group/delete", h.get(deleteGroup))
	mux.Handle("POST /console/group/delete", h.post(deleteGroup, h.deleteGroup))

	faults := page{"faults", h.faultsPage}
	mux.Handle("GET /console/faults", h.get(faults))
	mux.Handle("POST /console/faults", h.post(faults, h.addFault))
	mux.Handle("POST /console/faults/clear", h.post(faults, h.clearFaults))
	mux.Handle("POST /console/faults/{id}/remove", h.post(faults, h.removeFault))
	mux.Handle("POST /console/clock", h.post(faults, h.setClock))
	mux.Handle("POST /console/calls/reset", h.post(faults, h.resetCalls))

	mux.HandleFunc("/console/", func(w http.ResponseWriter, r *http.Request) {
		h.fail(w, r, errNoPage)
	})
}

// page is a page of the console. data returns what the page shows.
type page struct {
	name string
	data func(*http.Request) (any, error)
}

// view is the data of a template.
type view struct {
	Page      string
	FormToken string
	// Notice is a sentence about the action that led here.
	Notice string
	// Error is a sentence about the form that was refused.
	Error string
	// Refreshes is whether the page loads itself again, which the user can begin and end.
	Refreshes bool
	// Answer is what a query was answered with.
	Answer string
	Data   any

	typed url.Values // what the form that was refused contained, without the password
}

// Value returns the value of a field: what was typed into
// a form that was refused, or else what is stored.
func (v view) Value(field, stored string) string {
	if v.typed.Has(field) {
		return v.typed.Get(field)
	}
	return stored
}

// Date formats a time. The zero time is empty.
func (view) Date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// Took formats a duration.
func (view) Took(d time.Duration) string { return d.Round(10 * time.Microsecond).String() }

// notice returns the sentence about an action whose word is in the page's query.
func notice(word string) string {
	switch word {
	case "created":
		return "The user is created."
	case "confirmed":
		return "The user is confirmed and can sign in."
	case "enabled":
		return "The user is enabled."
	case "disabled":
		return "The user is disabled and cannot sign in. Tokens of the user are not valid."
	case "password":
		return "The password is set."
	case "reset-password":
		return "The user must choose a new password. The code for it is in the inbox."
	case "signed-out":
		return "All sessions of the user are ended."
	case "attributes":
		return "The attributes are saved."
	case "waiting":
		return "The attributes are saved. The new address replaces the old one once the user " +
			"enters the code that was sent to it: it is in the inbox."
	case "joined":
		return "The user is in the group. Tokens contain it from the next refresh on."
	case "left":
		return "The user is no longer in the group. Tokens contain it until the next refresh."
	case "deleted":
		return "The user is deleted."
	case "group-created":
		return "The group is created."
	case "group-changed":
		return "The group is changed."
	case "group-deleted":
		return "The group is deleted."
	case "rotated":
		return "The new keys sign from now on. Tokens of the previous keys stay valid until they expire."
	case "fault":
		return "The fault is added."
	case "unfault":
		return "The fault is removed."
	case "clear":
		return "All faults are removed, and the clock is right."
	case "clock":
		return "The clock is set."
	case "reset":
		return "The counters are reset."
	}
	return ""
}

// get serves a page.
func (h *Handler) get(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		v := view{Notice: notice(q.Get("done")), Refreshes: q.Get("refresh") == "1"}
		h.show(w, r, http.StatusOK, p, v)
	})
}

// post serves a form of a page. do returns the address of the next page. If do refuses the
// form, the page is shown again, with the reason and with what was typed except passwords.
func (h *Handler) post(p page, do func(*http.Request) (string, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := ui.CheckForm(w, r); err != nil {
			h.fail(w, r, err)
			return
		}
		target, err := do(r)
		if err == nil {
			http.Redirect(w, r, target, http.StatusSeeOther)
			return
		}
		h.refuse(w, r, p, err)
	})
}

// refuse shows the page of a form that was refused.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, p page, err error) {
	v := view{typed: r.PostForm}
	v.typed.Del("password")
	var refusal *userpool.Error
	var mistake formError
	switch {
	case errors.As(err, &refusal):
		v.Error = refusal.Message
	case errors.As(err, &mistake):
		v.Error = mistake.message
	default:
		h.fail(w, r, err)
		return
	}
	h.show(w, r, http.StatusUnprocessableEntity, p, v)
}

// formError is a mistake in a form. Its message is shown to the user.
type formError struct{ message string }

func (e formError) Error() string { return e.message }

// show sends a page.
func (h *Handler) show(w http.ResponseWriter, r *http.Request, status int, p page, v view) {
	data, err := p.data(r)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	v.Page, v.Data = p.name, data
	h.write(w, r, status, v)
}

func (h *Handler) write(w http.ResponseWriter, r *http.Request, status int, v view) {
	v.FormToken = ui.FormToken(w, r)
	if v.Refreshes {
		w.Header().Set("Refresh", "2") // seconds
	}
	if err := h.pages.Write(w, status, v.Page, v); err != nil {
		h.Logger.ErrorContext(r.Context(), "the console could not show a page",
			"page", v.Page, "error", err)
		const status = http.StatusInternalServerError
		http.Error(w, http.StatusText(status), status)
	}
}

// problem is the data of the page about an error.
type problem struct {
	Title, Text string
	Back        link
}

var errNoPage = errors.New("there is no such page")

// fail shows a page about an error.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusNotFound
	p := problem{Title: "Not found", Back: link{"Back to the overview", "/console"}}
	switch {
	case errors.Is(err, errNoPage):
		p.Text = "The console has no such page."
	case userpool.CodeOf(err) == userpool.UserNotFound:
		p.Text, p.Back = "This user does not exist.", link{"Back to the users", "/console/users"}
	case userpool.CodeOf(err) == userpool.ResourceNotFound:
		p.Text, p.Back = "This group does not exist.", link{"Back to the groups", "/console/groups"}
	case errors.Is(err, objects.ErrNoBucket):
		p.Text, p.Back = "This bucket does not exist.", link{"Back to the buckets", "/console/storage"}
	case errors.Is(err, errNoModel), errors.Is(err, items.ErrToken):
		p.Text, p.Back = "These items do not exist.", link{"Back to the models", "/console/data"}
	case errors.Is(err, ui.ErrForm):
		status, p.Title = http.StatusForbidden, "That did not work"
		p.Text = "The form was open for too long, or another site sent it. Nothing was changed. " +
			"Go back, reload the page and try again."
	default:
		h.Logger.ErrorContext(r.Context(), "the console failed", "path", r.URL.Path, "error", err)
		status, p.Title = http.StatusInternalServerError, "That did not work"
		p.Text = "The sandbox failed. Its log says why."
	}
	h.write(w, r, status, view{Page: "problem", Data: p})
}

// ask is the data of a page that asks before something is lost.
type ask struct {
	Title, Text string
	// Action is where the form goes that has Button.
	Action, Button string
	// Back is the page of what would be lost.
	Back string
}
