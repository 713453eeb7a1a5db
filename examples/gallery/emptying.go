package main

import (
	"context"
	"iter"
	"net/http"

	"github.com/amplify-go/amplify/storage"
)

// emptying is the page that asks whether to remove all photos, and the one that removes them.
type emptying struct {
	Photos int
	// Steps is nil on the page that asks. The template ranges over it while the photos are removed.
	Steps iter.Seq[step]
}

// step is how far the removal is.
type step struct {
	Removed int      // photos, since the beginning
	Failed  int      // photos that remain in this batch
	Done    bool     // this is the last step
	Problem *problem // why it has stopped
}

// askBeforeEmptying shows how many photos would be removed.
func askBeforeEmptying(r *http.Request) (any, error) { return countPhotos(r.Context()) }

func countPhotos(ctx context.Context) (emptying, error) {
	own, err := albumOf(ctx)
	if err != nil {
		return emptying{}, err
	}
	var content emptying
	for _, err := range storage.ListAll(ctx, storage.ListInput{Path: own.photo("")}) {
		if err != nil {
			return emptying{}, err
		}
		content.Photos++
	}
	return content, nil
}

// empty removes the folder of the album. The page that tells how far it is goes to the browser
// piece by piece, which needs no script.
func (g *gallery) empty(w http.ResponseWriter, r *http.Request) {
	content, err := countPhotos(r.Context())
	if err != nil {
		g.fail(w, r, err)
		return
	}
	content.Steps = func(yield func(step) bool) {
		more := true
		removeAlbum(r, func(s step) {
			if more = more && yield(s); more {
				// The browser gets what the template has written so far.
				_ = http.NewResponseController(w).Flush()
			}
		})
	}
	g.stream(w, r, "emptying", content)
}

// removeAlbum removes all photos of the request's user, those on display first. It calls tell
// before the first batch and after each.
func removeAlbum(r *http.Request, tell func(step)) {
	ctx := r.Context()
	own, err := albumOf(ctx)
	removed := 0
	tell(step{})
	if err == nil {
		_, err = storage.Remove(ctx, storage.RemoveInput{Path: displayed("")})
	}
	if err == nil {
		_, err = storage.Remove(ctx, storage.RemoveInput{
			Path: own.photo(""),
			OnProgress: func(p storage.RemoveProgress) {
				removed += len(p.Removed)
				tell(step{Removed: removed, Failed: len(p.Failed)})
			},
		})
	}
	last := step{Removed: removed, Done: true}
	if err != nil {
		last.Problem = problemOf(err, r.URL.Path)
	}
	tell(last)
}
