package ui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// AssetPrefix is the path below which [Assets] must be mounted.
const AssetPrefix = "/assets/"

//go:embed assets
var embedded embed.FS

// Assets serves the style sheet and the icon. The path of an asset contains a hash of
// its content. So browsers may cache an asset for ever, and see every change at once.
type Assets struct {
	byPath map[string][]byte // "/assets/style.0123456789ab.css": content
	paths  map[string]string // "style.css": "/assets/style.0123456789ab.css"
}

// NewAssets returns the embedded assets.
func NewAssets() *Assets {
	a := &Assets{byPath: make(map[string][]byte), paths: make(map[string]string)}
	for _, name := range []string{"style.css", "icon.svg"} {
		content, err := fs.ReadFile(embedded, "assets/"+name)
		if err != nil {
			panic("ui: " + err.Error()) // the binary was built without its own files
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(name)
		hashed := AssetPrefix + strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.byPath[hashed] = content
		a.paths[name] = hashed
	}
	return a
}

// ServeHTTP answers GET and HEAD for the paths that templates link to.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	content, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(r.URL.Path)))
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content)
}
