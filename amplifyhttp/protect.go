package amplifyhttp

import (
	"net/http"

	"github.com/amplify-go/amplify"
)

// Protect refuses, with 403, requests that change something (any method but GET, HEAD and OPTIONS) and that a
// browser sends on behalf of another origin. Sessions in cookies need it wherever forms are accepted:
// SameSite alone does not keep out sites on the same domain.
//
// It is [http.CrossOriginProtection], told of the runner's origin, which a proxy may hide from r.Host.
func (s *ServerRunner) Protect(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	if s.origin != "" {
		if err := p.AddTrustedOrigin(string(s.origin)); err != nil {
			panic("amplifyhttp: " + err.Error()) // parseOrigin is stricter
		}
	}
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isNavigation(r) {
			s.pages.write(w, page{
				Status: http.StatusForbidden, Title: "Not allowed", Text: "Another site has sent you here with a form. Nothing was changed.",
				Link: "/", LinkText: "Home",
			})
			return
		}
		writeError(w, http.StatusForbidden, &amplify.Error{Name: "CrossOriginRequestException"})
	}))
	return p.Handler(next)
}
