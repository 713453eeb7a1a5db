package storage

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/amplify-go/amplify"
)

// ObjectPath says which object or folder a call is about. [Path], [PathFunc] and [Key] make one.
// The zero value names nothing.
type ObjectPath struct {
	kind  pathKind
	text  string                         // of all kinds but pathOfIdentity
	of    func(identityID string) string // of pathOfIdentity
	level KeyOptions                     // of legacyKey
}

// pathKind is how an ObjectPath was made.
type pathKind int

const (
	noPath         pathKind = iota
	literalPath             // by Path
	pathOfIdentity          // by PathFunc
	legacyKey               // by Key
	listedPath              // by Item.ObjectPath
)

// Path returns the path of an object in its bucket, such as "photos/a.png", or of a folder, such as
// "photos/". It has no slash at the beginning.
func Path(path string) ObjectPath { return ObjectPath{kind: literalPath, text: path} }

// PathFunc returns a path that depends on the caller's identity id in the identity pool:
//
//	storage.PathFunc(func(identityID string) string { return "private/" + identityID + "/a.png" })
func PathFunc(path func(identityID string) string) ObjectPath {
	if path == nil {
		return ObjectPath{}
	}
	return ObjectPath{kind: pathOfIdentity, of: path}
}

// Key returns a key of Amplify Gen 1. The key is the part of a path after the prefix of its access
// level. New applications use [Path].
func Key(key string, o KeyOptions) ObjectPath {
	return ObjectPath{kind: legacyKey, text: key, level: o}
}

// KeyOptions are the options of [Key].
type KeyOptions struct {
	// AccessLevel is the level of the key. The default is Options.DefaultAccessLevel.
	AccessLevel AccessLevel
	// TargetIdentityID is the identity id of the user who owns the object, at [LevelProtected]. The
	// default is the caller. Other levels ignore it.
	TargetIdentityID string
}

// AccessLevel says who may read and write a key of Amplify Gen 1.
type AccessLevel string

// The access levels and the prefixes of their keys.
const (
	// LevelGuest, public/: everybody reads and writes.
	LevelGuest AccessLevel = "guest"
	// LevelProtected, protected/<identity id>/: everybody reads, the owner writes.
	LevelProtected AccessLevel = "protected"
	// LevelPrivate, private/<identity id>/: the owner reads and writes.
	LevelPrivate AccessLevel = "private"
)

// address is what an ObjectPath stands for in one call.
type address struct {
	path string // all of the key in the bucket
	// key is what Key was given, and prefix what stands before it. isKey tells them from paths.
	key, prefix string
	isKey       bool
}

// resolve returns the address that p stands for. It does not check the path.
func (p ObjectPath) resolve(ctx context.Context, o Options, identityID string) (address, error) {
	switch p.kind {
	case pathOfIdentity:
		if identityID == "" {
			return address{}, errNoIdentity()
		}
		return address{path: p.of(identityID)}, nil
	case legacyKey:
		return p.resolveKey(ctx, o, identityID)
	}
	return address{path: p.text}, nil
}

func (p ObjectPath) resolveKey(ctx context.Context, o Options, identityID string) (address, error) {
	level := p.level.AccessLevel
	if level == "" {
		level = o.DefaultAccessLevel
	}
	owner := identityID
	switch level {
	case LevelGuest, LevelPrivate:
	case LevelProtected:
		if p.level.TargetIdentityID != "" {
			owner = p.level.TargetIdentityID
		}
	default:
		return address{}, &amplify.Error{
			Name:               invalidInput,
			Message:            fmt.Sprintf("There is no access level %q.", level),
			RecoverySuggestion: "Use LevelGuest, LevelProtected or LevelPrivate.",
		}
	}
	prefix, err := o.PrefixResolver(ctx, PrefixInput{AccessLevel: level, TargetIdentityID: owner})
	if err != nil {
		return address{}, err
	}
	return address{path: prefix + p.text, key: p.text, prefix: prefix, isKey: true}, nil
}

// maxKey is the length of the longest key of S3, in bytes (Amazon S3 User Guide, "Naming Amazon S3
// objects").
const maxKey = 1024

// check refuses a path that S3 cannot have, and one that a caller is unlikely to mean.
func (a address) check(allowUnusual bool) error {
	fault := func(reason amplify.Reason, message, suggestion string) error {
		return &amplify.Error{
			Name: invalidPath, Reason: reason, Message: message, RecoverySuggestion: suggestion,
		}
	}
	switch {
	case !a.isKey && strings.HasPrefix(a.path, "/"):
		return fault("", "Input `path` does not allow a leading slash (/).", "Leave the slash out.")
	case !utf8.ValidString(a.path):
		return fault("", fmt.Sprintf("The path %q is not UTF-8.", a.path), "Keys of S3 are UTF-8.")
	case len(a.path) > maxKey:
		return fault("", fmt.Sprintf("The path that begins with %.40q has more than %d bytes.",
			a.path, maxKey), "Shorten it.")
	case allowUnusual:
		return nil
	}
	if what := unusual(a.path); what != "" {
		return fault(amplify.ReasonUnusualPath, fmt.Sprintf("The path %q has %s.", a.path, what),
			"If that is meant, set AllowUnusualPath. If a part of the path comes from a user, "+
				"check that part.")
	}
	return nil
}

// unusual tells what is unusual about path. Browsers, proxies and tools change such paths, or
// understand them as others than S3 does: "a/../b" is no other name of "b" there.
func unusual(path string) string {
	if strings.ContainsFunc(path, unicode.IsControl) {
		return "a control character"
	}
	for rest := path; rest != ""; {
		segment, after, more := strings.Cut(rest, "/")
		switch {
		case segment == "" && more:
			return "an empty segment"
		case segment == "." || segment == "..":
			return fmt.Sprintf("the segment %q", segment)
		}
		rest = after
	}
	return ""
}
