package cognito

import (
	"fmt"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/token"
)

// issuers returns the key sets of all issuers that tokens of the pool may name, by issuer. Each has
// its keys at <issuer>/.well-known/jwks.json. The address that keys are fetched from is a separate
// setting (amplify.Endpoints.UserPoolKeys), so that the same code works with a local backend.
func issuers(app *amplify.App, w *work, poolID string, o Options) (map[string]*keySet, error) {
	names, err := token.Issuers(poolID, o.ReplicaRegions, o.Issuers)
	if err != nil {
		return nil, err
	}
	// A locator other than AWS's own serves the keys of all issuers.
	locator := app.Endpoints().UserPoolKeys
	if locator+"/"+poolID == token.Issuer(poolID) {
		locator = ""
	}
	sets := map[string]*keySet{}
	for _, iss := range names {
		from := iss
		if locator != "" {
			from = strings.TrimSuffix(locator, "/") + "/" + poolID
		}
		// The pool may never have been switched.
		optional := iss == token.SwitchedIssuer(poolID)
		sets[iss] = newKeySet(app, w, iss, from+"/.well-known/jwks.json", optional)
	}
	if len(o.Keys) > 0 {
		keys, err := token.ParseKeys(o.Keys)
		if err != nil {
			return nil, fmt.Errorf("Options.Keys: %w", err)
		}
		sets[token.Issuer(poolID)].replace(keys)
	}
	return sets, nil
}
