package doctor

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/s3address"
)

// bucketRules examines whether those whom the access rules of the buckets name can come to have
// their rights.
func (e *examination) bucketRules() {
	if e.cfg.Storage == nil {
		return
	}
	auth := e.cfg.Auth
	if auth == nil || auth.IdentityPoolID == "" {
		e.problem("storage", "Add auth to the backend, and generate the outputs again.",
			"There are buckets, but no identity pool that gives users credentials for them.")
		return
	}
	named := map[string][]string{} // patterns, by who
	for _, bucket := range e.cfg.Storage.Buckets {
		for _, path := range bucket.Paths {
			for who := range path.Actions {
				named[who] = append(named[who], fmt.Sprintf("%q", path.Pattern))
			}
		}
	}
	for _, who := range slices.Sorted(maps.Keys(named)) {
		patterns := slices.Sorted(slices.Values(named[who]))
		group, isGroup := strings.CutPrefix(who, "groups")
		known := slices.ContainsFunc(auth.Groups, func(g amplify.GroupConfig) bool {
			return g.Name == group
		})
		switch {
		case who == "guest" && !auth.AllowGuestAccess:
			e.warn("storage", "Allow guests in the identity pool (unauthenticated identities), or "+
				"take the rules out.", "The outputs allow guests to use %s, but the identity pool "+
				"gives guests no credentials.", strings.Join(patterns, ", "))
		case isGroup && !known:
			e.warn("storage", "Generate the outputs again.",
				"The outputs allow the group %q to use %s, but do not list the group.",
				group, strings.Join(patterns, ", "))
		}
	}
}

// buckets examines whether each bucket exists where the configuration says. S3 tells so also to
// those who send no credentials.
func (e *examination) buckets(ctx context.Context) {
	if e.cfg.Storage == nil {
		return
	}
	all := map[string]string{} // regions, by name
	if e.cfg.Storage.Bucket != "" {
		all[e.cfg.Storage.Bucket] = e.cfg.Storage.Region
	}
	for _, bucket := range e.cfg.Storage.Buckets {
		all[bucket.Name] = bucket.Region
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e.bucket(ctx, name, all[name])
	}
}

func (e *examination) bucket(ctx context.Context, name, region string) {
	const advice = "Generate the outputs again (npx ampx generate outputs)."
	if region == "" || !s3address.IsBucketName(name) {
		e.problem("storage", advice, "There is no bucket %q in the region %q.", name, region)
		return
	}
	address, err := s3address.Options{App: e.app.Endpoints().Storage}.URL(name, region)
	if err != nil {
		e.fault("storage", Problem, err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, address.String()+"/", nil)
	if err != nil {
		e.fault("storage", Problem, err)
		return
	}
	response, err := e.app.HTTPClient().Do(r)
	if err != nil {
		e.problem("storage", "Check that this machine reaches the internet.",
			"The bucket %q cannot be asked for: %s.", name, e.describe(err))
		return
	}
	_ = response.Body.Close()
	there := response.Header.Get("X-Amz-Bucket-Region")
	switch {
	case there != "" && there != region:
		e.problem("storage", advice, "The bucket %q is in the region %s, not in %s.",
			name, there, region)
	case response.StatusCode == http.StatusNotFound:
		e.problem("storage", advice, "There is no bucket %q.", name)
	case response.StatusCode == http.StatusOK, response.StatusCode == http.StatusForbidden:
		e.ok("storage", "The bucket %q exists.", name)
	default:
		e.warn("storage", "Try again later.", "For the bucket %q S3 answers status %d.",
			name, response.StatusCode)
	}
}
