package s3

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// maxHeader is how many bytes the headers of a request may have, and so those that an object keeps
// (API Reference, "PutObject").
const maxHeader = 8 << 10

// checkHeaderSize refuses long headers. Cookies do not count: on loopback, browsers send those of
// other applications.
func checkHeaderSize(header http.Header) error {
	size := 0
	for name, values := range header {
		if name == "Cookie" {
			continue
		}
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	if size > maxHeader {
		return badRequest("RequestHeaderSectionTooLarge",
			"Your request header section exceeds the maximum allowed size.",
			"MaxSizeAllowed", fmt.Sprint(maxHeader))
	}
	return nil
}

// lacking are the beginnings of headers that ask for what the sandbox does not have.
var lacking = []string{
	"x-amz-copy-source-server-side-encryption-", "x-amz-if-match-", "x-amz-object-annotation-",
	"x-amz-server-side-encryption-", "x-amz-write-offset-bytes",
}

// ordinary has the one value of some headers that asks for what all objects have.
var ordinary = map[string]string{
	"x-amz-server-side-encryption": "AES256", "x-amz-storage-class": "STANDARD",
}

// checkLacking refuses what the sandbox does not have, and would otherwise do without.
func checkLacking(header http.Header) error {
	for name := range header {
		if slices.ContainsFunc(lacking, func(beginning string) bool {
			return strings.HasPrefix(strings.ToLower(name), beginning)
		}) {
			return notImplemented(name)
		}
	}
	for name, only := range ordinary {
		if v := header.Get(name); v != "" && v != only {
			return notImplemented(name)
		}
	}
	return nil
}

// defaultType is the Content-Type of objects that came without one.
const defaultType = "binary/octet-stream"

// maxMetadata is how many bytes names and values of the user's metadata may have.
const maxMetadata = 2 << 10

// kept are the headers of an upload that answers repeat, besides its encoding, tags and metadata.
var kept = []string{
	"cache-control", "content-disposition", "content-language", "content-type", "expires", redirect,
}

// redirect is the one header that copies do not keep.
const redirect = "x-amz-website-redirect-location"

// keptHeader returns the headers that are kept of an object.
func keptHeader(header http.Header) (map[string]string, error) {
	h := map[string]string{"content-type": defaultType}
	for _, name := range kept {
		if v := header.Get(name); v != "" {
			h[name] = v
		}
	}
	if to := h[redirect]; to != "" && !strings.HasPrefix(to, "/") &&
		!strings.HasPrefix(to, "http://") && !strings.HasPrefix(to, "https://") {
		return nil, badRequest("InvalidRedirectLocation",
			"The website redirect location must have a prefix of 'http://' or 'https://' or '/'.")
	}
	if encoding := contentEncoding(header); encoding != "" {
		h["content-encoding"] = encoding
	}
	if text := header.Get(tagging); text != "" {
		tags, err := parseTags(text)
		if err != nil {
			return nil, err
		}
		setTags(h, tags)
	}
	size := 0
	for name, values := range header {
		name = strings.ToLower(name)
		if own, found := strings.CutPrefix(name, "x-amz-meta-"); found {
			h[name] = strings.Join(values, ",")
			size += len(own) + len(h[name])
		}
	}
	if size > maxMetadata {
		return nil, badRequest("MetadataTooLarge",
			"Your metadata headers exceed the maximum allowed metadata size",
			"Size", fmt.Sprint(size), "MaxSizeAllowed", fmt.Sprint(maxMetadata))
	}
	return h, nil
}

// contentEncoding returns the encodings of an object. The AWS SDKs put aws-chunked, which is that
// of the request alone, before or behind them.
func contentEncoding(header http.Header) string {
	const chunked = "aws-chunked"
	all := strings.Join(header.Values("Content-Encoding"), ",")
	if !strings.Contains(all, chunked) {
		return all
	}
	encodings := strings.Split(strings.ReplaceAll(all, " ", ""), ",")
	return strings.Join(slices.DeleteFunc(encodings, func(e string) bool {
		return e == "" || e == chunked
	}), ",")
}
