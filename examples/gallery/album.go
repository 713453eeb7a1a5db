package main

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/amplify-go/amplify/auth"
	"github.com/amplify-go/amplify/storage"
)

// album is a folder of S3 with the photos of a signed-in visitor, which nobody else can see. A
// photo that is on display has a copy in a folder that everybody can read. S3 itself enforces this,
// by the rules in amplify_outputs.json. An Amplify project writes them as
//
//	defineStorage({
//	  name: 'photos',
//	  access: (allow) => ({
//	    'private/{entity_id}/*': [allow.entity('identity').to(['read', 'write', 'delete'])],
//	    'curators/*': [allow.groups(['curators']).to(['read', 'write', 'delete'])],
//	    'public/{entity_id}/*': [
//	      allow.entity('identity').to(['read', 'write', 'delete']),
//	      allow.guest.to(['read']),
//	      allow.authenticated.to(['read']),
//	      allow.groups(['curators']).to(['read', 'write', 'delete']),
//	    ],
//	  }),
//	})
//
// Members of a group have the role of the group instead of that of other users, for whom the rules
// of {entity_id} are. So curators have a folder of their own, in which S3 lets each of them read
// the albums of all: it is this server that opens each album for its owner alone.
type album struct {
	root string // the first segment of its path
}

// albumOf returns the album of the request's user.
func albumOf(ctx context.Context) (album, error) {
	session, err := auth.FetchAuthSession(ctx, auth.FetchAuthSessionInput{})
	if err != nil {
		return album{}, err
	}
	if session.Tokens == nil {
		return album{}, session.Unauthenticated
	}
	if slices.Contains(session.Tokens.IDToken.Claims().Groups, "curators") {
		return album{"curators"}, nil
	}
	return album{"private"}, nil
}

// photo returns where the photo of this name is. With the empty name it is the whole album.
func (a album) photo(name string) storage.ObjectPath { return ownPath(a.root, name) }

// displayed returns where the public copy of a photo of the request's user is. With the empty name
// it is the folder of all copies.
func displayed(name string) storage.ObjectPath { return ownPath(public, name) }

// public is the folder that everybody can read.
const public = "public"

// ownPath returns a path that no other user has. The identity id comes from the identity pool, and
// not from the request.
func ownPath(root, name string) storage.ObjectPath {
	return storage.PathFunc(func(identityID string) string {
		return root + "/" + identityID + "/photos/" + name
	})
}

// picture is a photo as pages show it.
type picture struct {
	Name  string // of the file
	Title string // the name without its extension
	Image string // the URL of the image
}

// pictureOf returns the photo at a path. The URL of its image stays the same for a while, so that
// browsers need not load it each time.
func pictureOf(ctx context.Context, at storage.ObjectPath, name string) (picture, error) {
	out, err := storage.GetURL(ctx, storage.GetURLInput{
		Path: at, Stable: true, ExpiresIn: time.Hour, CacheControl: "private, max-age=900",
	})
	if err != nil {
		return picture{}, err
	}
	return picture{name, strings.TrimSuffix(name, path.Ext(name)), out.URL}, nil
}

// photoTypes are the types of images that the gallery takes, with the extensions of their files.
// None of them can hold a script that a browser would run, as SVG could.
var photoTypes = map[string][]string{
	"image/jpeg": {".jpg", ".jpeg"},
	"image/png":  {".png"},
	"image/gif":  {".gif"},
	"image/webp": {".webp"},
}

// photoName returns the name of a photo of a type in its album, after the name that its file has on
// the visitor's device, which may be anything.
func photoName(file, contentType string) string {
	extensions := photoTypes[contentType]
	name, extension := file, extensions[0]
	if slices.Contains(extensions, strings.ToLower(path.Ext(file))) {
		extension = path.Ext(file)
		name = strings.TrimSuffix(file, extension)
	}
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == utf8.RuneError || unicode.IsControl(r) {
			return '-'
		}
		return r
	}, name)
	const longest = 100 // characters
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest])
	}
	if name = strings.TrimSpace(name); name == "" {
		name = "photo"
	}
	return name + extension
}
