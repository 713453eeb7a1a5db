package console

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/sandbox/internal/s3/access"
	"github.com/amplify-go/amplify/sandbox/internal/s3/objects"
	"github.com/amplify-go/amplify/sandbox/internal/ui"
)

// Storage is S3 as the console shows it.
type Storage struct {
	Objects *objects.Store
	// Rules are the access rules of the buckets that have some.
	Rules map[string]*access.Rules
}

const (
	// objectsOnPage is how many objects and folders a page shows at most.
	objectsOnPage = 100
	// maxPreview is the size of the largest picture that a page shows.
	maxPreview = 4 << 20
)

// pictures are the types of objects that the console shows, by the ends of their keys. They can run
// no scripts, other than SVG.
var pictures = map[string]string{
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif",
}

func (h *Handler) registerStorage(mux *http.ServeMux) {
	mux.Handle("GET /console/storage", h.get(page{"storage", h.storage}))
	mux.Handle("GET /console/storage/{bucket}", h.get(page{"bucket", h.bucket}))
	mux.HandleFunc("GET /console/storage/{bucket}/preview", h.preview)
}

type bucketView struct {
	objects.Bucket
	Paths []pathView
}

type pathView struct {
	Pattern string
	Rules   []access.Rule
}

// Who names who a rule is for.
func (pathView) Who(r access.Rule) string {
	switch {
	case r.Who == string(access.Guest):
		return "guests"
	case r.Who == string(access.Authenticated):
		return "signed-in users"
	case r.Who == "entityidentity":
		return "the owner"
	}
	return "group " + strings.TrimPrefix(r.Who, "groups")
}

func (h *Handler) storage(r *http.Request) (any, error) {
	if h.Storage == nil {
		return []bucketView(nil), nil
	}
	all, err := h.Storage.Objects.Buckets(r.Context())
	if err != nil {
		return nil, err
	}
	var buckets []bucketView
	for _, b := range all {
		v := bucketView{Bucket: b}
		if rules := h.Storage.Rules[b.Name]; rules != nil {
			for _, p := range rules.Paths() {
				v.Paths = append(v.Paths, pathView(p))
			}
		}
		buckets = append(buckets, v)
	}
	return buckets, nil
}

// folderView is a part of a bucket: what begins with a prefix.
type folderView struct {
	Bucket, Prefix string
	// Up are the folders above, the outermost first.
	Up      []link
	Folders []link
	Objects []objectView
	// Next is the address of the next page, or "".
	Next string
}

type objectView struct {
	*objects.Object
	Name string
	// Preview is the address of a picture, or "".
	Preview string
}

// Bytes formats the size.
func (o objectView) Bytes() string {
	const unit = 1024
	switch size := float64(o.Size); {
	case size < unit:
		return fmt.Sprintf("%d B", o.Size)
	case size < unit*unit:
		return fmt.Sprintf("%.1f KiB", size/unit)
	default:
		return fmt.Sprintf("%.1f MiB", size/unit/unit)
	}
}

func (h *Handler) bucket(r *http.Request) (any, error) {
	name, prefix := r.PathValue("bucket"), r.URL.Query().Get("prefix")
	if h.Storage == nil {
		return nil, objects.ErrNoBucket
	}
	page, err := h.Storage.Objects.List(r.Context(), name, objects.Query{
		Prefix: prefix, Delimiter: "/", After: r.URL.Query().Get("after"), Limit: objectsOnPage})
	if err != nil {
		return nil, err
	}
	v := folderView{Bucket: name, Prefix: prefix}
	address := func(q url.Values) string {
		return "/console/storage/" + url.PathEscape(name) + "?" + q.Encode()
	}
	for i, c := range prefix {
		if c == '/' {
			folder := prefix[:i+1]
			v.Up = append(v.Up, link{path.Base(folder), address(url.Values{"prefix": {folder}})})
		}
	}
	for _, p := range page.Prefixes {
		v.Folders = append(v.Folders, link{strings.TrimPrefix(p, prefix),
			address(url.Values{"prefix": {p}})})
	}
	for _, o := range page.Entries {
		view := objectView{Object: o, Name: strings.TrimPrefix(o.Key, prefix)}
		if pictures[strings.ToLower(path.Ext(o.Key))] != "" && o.Size <= maxPreview {
			view.Preview = "/console/storage/" + url.PathEscape(name) + "/preview?" +
				url.Values{"key": {o.Key}}.Encode()
		}
		v.Objects = append(v.Objects, view)
	}
	if page.Next != "" {
		v.Next = address(url.Values{"prefix": {prefix}, "after": {page.Next}})
	}
	return v, nil
}

// preview serves a picture. It has the origin of the console, and so it must be one: whatever the
// object says it is, browsers take it for the type of its name, or for nothing.
func (h *Handler) preview(w http.ResponseWriter, r *http.Request) {
	key := r.URL.Query().Get("key")
	kind := pictures[strings.ToLower(path.Ext(key))]
	if h.Storage == nil || kind == "" {
		http.NotFound(w, r)
		return
	}
	object, err := h.Storage.Objects.Open(r.Context(), r.PathValue("bucket"), key)
	if err != nil {
		if !slices.Contains([]error{objects.ErrNoBucket, objects.ErrNoObject}, err) {
			h.Logger.ErrorContext(r.Context(), "the console failed", "path", r.URL.Path, "error",
				err)
		}
		http.NotFound(w, r)
		return
	}
	defer object.Close()
	if object.Object.Size > maxPreview {
		http.NotFound(w, r)
		return
	}
	ui.Secure(w.Header())
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("Content-Type", kind)
	_ = object.WriteTo(w, 0, object.Object.Size) // an error means that the client has gone
}
