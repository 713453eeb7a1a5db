package storage_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/httpbinding"

	"github.com/amplify-go/amplify"
	"github.com/amplify-go/amplify/internal/conformance"
)

// instead returns what we expect in place of a recording.
func instead(c conformance.Case, expected map[string]any) conformance.Case {
	raw, err := json.Marshal(expected)
	if err != nil {
		panic(err)
	}
	c.Expected = raw
	return c
}

// refused returns c with an error of ours that comes before any request.
func refused(c conformance.Case, name, message string, reason amplify.Reason) conformance.Case {
	return instead(c, map[string]any{
		"requests": []any{}, "error": map[string]any{"name": name, "message": message, "reason": reason},
	})
}

func text(v any) string { s, _ := v.(string); return s }

// option returns an option of the call.
func option(c conformance.Case, name string) any { return c.In("input", "options", name) }

func is(call string, more func(conformance.Case) bool) func(conformance.Case) bool {
	return func(c conformance.Case) bool { return c.In("call") == call && more(c) }
}

// presignedAs returns c with another lifetime in the recorded address, and changed by change.
func (s *sessions) presignedAs(c conformance.Case, seconds int, change func(*url.URL)) conformance.Case {
	u, err := url.Parse(text(c.Want("value", "url")))
	if err != nil {
		panic(err)
	}
	change(u)
	query := u.Query()
	query.Set("X-Amz-Expires", fmt.Sprint(seconds))
	u.RawQuery = query.Encode()
	address, err := s.secrets().presigned(http.MethodGet, u.String())
	if err != nil {
		panic(err)
	}
	return c.ExpectNo("error").Expect(address, "value", "url").
		Expect(isoTime(s.Now.Add(time.Duration(seconds)*time.Second)), "value", "expiresAt")
}

// downloads is the address of a download of a path, for cases whose recording has none.
func (s *sessions) download(c conformance.Case) conformance.Case {
	user := s.Sessions["user"].Credentials
	query := url.Values{
		"x-id": {"GetObject"}, "X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Date": {s.Now.Format("20060102T150405Z")},
		"X-Amz-Credential":     {user.AccessKeyID + "/" + s.Now.Format("20060102") + "/us-east-1/s3/aws4_request"},
		"X-Amz-Security-Token": {user.SessionToken}, "X-Amz-SignedHeaders": {"host"},
	}
	return c.Expect("https://drive-main.s3.us-east-1.amazonaws.com/"+text(c.In("input", "path"))+"?"+query.Encode(), "value", "url")
}

// fullPath returns the path that a call is about, as far as it is given.
func fullPath(c conformance.Case) string {
	if key, ok := c.In("input", "key").(string); ok {
		return "public/" + key
	}
	return text(c.In("input", "path"))
}

// unusualIn tells what is unusual about a path, as our error words it.
func unusualIn(path string) string {
	if regexp.MustCompile(`[\x00-\x1f\x7f-\x{9f}]`).MatchString(path) {
		return "a control character"
	}
	if found := regexp.MustCompile(`(?:^|/)(\.\.?)(?:/|$)`).FindStringSubmatch(path); found != nil {
		return fmt.Sprintf("the segment %q", found[1])
	}
	if strings.Contains(path, "//") {
		return "an empty segment"
	}
	return ""
}

// requestsOf returns the recorded requests.
func requestsOf(c conformance.Case) (all []map[string]any) {
	list, _ := c.Want("requests").([]any)
	for _, r := range list {
		request, _ := r.(map[string]any)
		all = append(all, request)
	}
	return all
}

func isListing(request map[string]any) bool {
	return strings.Contains(text(request["rawQuery"]), "list-type=2")
}

// encodedLists asks for encoded keys in each listing, and gives DeleteObjects its bucket.
func encodedLists(c conformance.Case) conformance.Case {
	requests := requestsOf(c)
	for _, r := range requests {
		if isListing(r) {
			r["query"] = append(r["query"].([]any), []any{"encoding-type", "url"})
		}
		if strings.HasPrefix(text(r["host"]), "s3.") && r["path"] == "/" {
			r["path"] = "/my.dotted.bucket"
		}
	}
	c = c.Expect(requests, "requests")
	if told, ok := c.Want("progress").([]any); ok {
		raw, err := json.Marshal(told)
		if err != nil {
			panic(err)
		}
		// The original tells keys as XML escapes them.
		raw = regexp.MustCompile(`\\u0026(\w+;)`).ReplaceAllFunc(raw, func(entity []byte) []byte {
			decoded, err := json.Marshal(html.UnescapeString("&" + strings.TrimPrefix(string(entity), `\u0026`)))
			if err != nil {
				panic(err)
			}
			return decoded[1 : len(decoded)-1]
		})
		c = c.Expect(json.RawMessage(raw), "progress")
	}
	return c
}

// copySource returns the value of x-amz-copy-source for a recorded one: encoded.
func copySource(recorded string) string { return httpbinding.EscapePath(recorded, false) }

// headNames are our names and messages of errors by the status of an answer without a body.
var headNames = map[string][2]string{
	"403": {"AccessDenied", "Forbidden"},
	"301": {"PermanentRedirect", "Moved Permanently"},
	"500": {"InternalServerError", "Internal Server Error"},
	"503": {"ServiceUnavailable", "Service Unavailable"},
	"400": {"BadRequest", "Bad Request"},
}

func headersOf(request map[string]any) map[string]any {
	headers, _ := request["headers"].(map[string]any)
	return headers
}

// uploaded returns c without what the caller knows, and with what is told of the progress of an
// upload at its end, if c asks for that. The original tells it in browsers only.
func uploaded(c conformance.Case) conformance.Case {
	if c.Want("value", "metadata") != nil {
		c = c.ExpectNo("value", "metadata")
	}
	if c.In("progress") == true {
		size := c.Want("value", "size")
		c = c.Expect([]any{map[string]any{"transferredBytes": size, "totalBytes": size}}, "progress")
	}
	return c
}

// uploadInParts returns c with the requests and the result that we have.
func uploadInParts(c conformance.Case) conformance.Case {
	var ours []map[string]any
	size, failed := 0.0, c.Want("error") != nil && !strings.Contains(text(c.Want("error", "message")), "Expected object size")
	for _, r := range requestsOf(c) {
		query := r["query"].([]any)
		switch {
		case r["method"] == "HEAD":
			continue
		case r["rawQuery"] == "uploads" && option(c, "cacheControl") != nil:
			headersOf(r)["cache-control"] = option(c, "cacheControl")
		case r["method"] == "PUT":
			r["query"] = append(query, []any{"x-id", "UploadPart"})
			headersOf(r)["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
			size += r["body"].(map[string]any)["size"].(float64)
		}
		ours = append(ours, r)
	}
	if failed {
		abort := maps.Clone(ours[1])
		headers := maps.Clone(headersOf(abort))
		for _, name := range []string{"content-type", "content-md5", "x-amz-checksum-crc32"} {
			delete(headers, name)
		}
		headers["x-amz-content-sha256"] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		delete(abort, "body")
		abort["method"], abort["headers"] = "DELETE", headers
		abort["query"] = []any{[]any{"uploadId", "up-1"}, []any{"x-id", "AbortMultipartUpload"}}
		return c.Expect(append(ours, abort), "requests")
	}
	if c.Want("value") == nil {
		c = c.ExpectNo("error").Expect(map[string]any{"path": c.In("input", "path"), "eTag": `"m-2"`, "contentType": "text/plain"}, "value")
	}
	return uploaded(c.Expect(ours, "requests").Expect(size, "value", "size"))
}

func storageRules(all *sessions) []conformance.Rule {
	return []conformance.Rule{
		{
			Name:   "data that is no io.Reader",
			Reason: "it fails in JavaScript, and does not compile in Go",
			Match:  func(c conformance.Case) bool { return c.Want("error", "name") == "InvalidUploadSource" },
			Instead: func(c conformance.Case) conformance.Case {
				return instead(c, map[string]any{"notGo": "data that is no io.Reader"})
			},
		},
		{
			Name:   "metadata beyond ASCII",
			Reason: "the original fails on them as if the network were down, or sends what S3 does not take",
			Match: is("uploadData", func(c conformance.Case) bool {
				return strings.HasPrefix(text(c.Want("error", "underlyingError", "message")), "Cannot convert argument to a ByteString")
			}),
			Instead: func(c conformance.Case) conformance.Case {
				for name := range option(c, "metadata").(map[string]any) {
					c = refused(c, "InvalidStorageOperationInput", fmt.Sprintf("Metadata has a value for %q that is not printable ASCII.", name), "")
				}
				return c
			},
		},
		{
			Name: "uploads in parts",
			Reason: "the original loses cacheControl, reads the object's properties at the end, which needs the right to read, does not " +
				"tell the size, and leaves the parts of a failed upload behind",
			Match:   is("uploadData", func(c conformance.Case) bool { return len(requestsOf(c)) > 1 }),
			Instead: uploadInParts,
		},
		{
			Name:   "data without a hash",
			Reason: "the original hashes texts and bytes, but not files and blobs. Over TLS nothing here is hashed",
			Match: is("uploadData", func(c conformance.Case) bool {
				requests := requestsOf(c)
				return len(requests) == 1 && requests[0]["method"] == "PUT" && headersOf(requests[0])["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD"
			}),
			Instead: func(c conformance.Case) conformance.Case {
				requests := requestsOf(c)
				headersOf(requests[0])["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
				return uploaded(c.Expect(requests, "requests"))
			},
		},
		{
			Name:   "a path and a key",
			Reason: "an input of Go has one field for both",
			Match: func(c conformance.Case) bool {
				return c.In("call") != "copy" && c.In("input", "path") != nil &&
					(c.In("input", "key") != nil || c.In("input", "prefix") != nil)
			},
			Instead: func(c conformance.Case) conformance.Case {
				return instead(c, map[string]any{"notGo": "a path and a key"})
			},
		},
		{
			Name:   "a path that is neither text nor a function",
			Reason: "it fails in JavaScript, and does not compile in Go",
			Match: func(c conformance.Case) bool {
				_, number := c.In("input", "path").(float64)
				return number && c.Want("error", "name") == "TypeError"
			},
			Instead: func(c conformance.Case) conformance.Case {
				return instead(c, map[string]any{"notGo": "a path that is neither text nor a function"})
			},
		},
		{
			Name:   "unusual paths",
			Reason: "they are refused, unless AllowUnusualPath is set: browsers and proxies take them for others",
			Match: func(c conformance.Case) bool {
				return c.In("call") != "copy" && c.In("call") != "list" && unusualIn(fullPath(c)) != ""
			},
			Instead: func(c conformance.Case) conformance.Case {
				path := fullPath(c)
				return refused(c, "InvalidStoragePathInput", fmt.Sprintf("The path %q has %s.", path, unusualIn(path)), amplify.ReasonUnusualPath)
			},
		},
		{
			Name:   "a path function that gives nothing",
			Reason: "the original fails later, and does not say why",
			Match:  func(c conformance.Case) bool { return c.In("input", "path", "$path") == "" },
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "InvalidStorageOperationInput",
					"Path or key parameter must be specified in the input. Both can not be specified at the same time.", "")
			},
		},
		{
			Name:   "URLs without expiry",
			Reason: "the original leaves the expiry out if it is 0, and S3 refuses such URLs. Here 0 is the default",
			Match:  is("getUrl", func(c conformance.Case) bool { return option(c, "expiresIn") == 0.0 }),
			Instead: func(c conformance.Case) conformance.Case {
				return all.presignedAs(c, 900, func(*url.URL) {})
			},
		},
		{
			Name:   "fractions of a second",
			Reason: "S3 takes whole seconds: the rest is cut off",
			Match: is("getUrl", func(c conformance.Case) bool {
				seconds, ok := option(c, "expiresIn").(float64)
				return ok && seconds > 1 && seconds != float64(int(seconds))
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return all.presignedAs(c, int(option(c, "expiresIn").(float64)), func(*url.URL) {})
			},
		},
		{
			Name:   "negative lifetimes",
			Reason: "no URL comes out of it that S3 would accept",
			Match: is("getUrl", func(c conformance.Case) bool {
				seconds, ok := option(c, "expiresIn").(float64)
				return ok && seconds < 0
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "InvalidStorageOperationInput", fmt.Sprintf("A URL cannot expire in %vs.", option(c, "expiresIn")), "")
			},
		},
		{
			Name:   "credentials that have expired",
			Reason: "the original returns a URL with a negative lifetime",
			Match: is("getUrl", func(c conformance.Case) bool {
				s := all.Sessions[text(c.In("session"))]
				return s.Credentials != nil && !s.Credentials.Expiration.IsZero() && s.Credentials.Expiration.Before(all.Now)
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "ExpiredToken", "The credentials have expired.", "")
			},
		},
		{
			Name:   "account numbers with something behind",
			Reason: "the original looks at the first 12 digits only",
			Match: func(c conformance.Case) bool {
				return regexp.MustCompile(`^\d{12}.`).MatchString(text(option(c, "expectedBucketOwner")))
			},
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "InvalidAWSAccountID", "Invalid AWS account ID was provided.", "")
			},
		},
		{
			Name:   "empty account numbers",
			Reason: "in Go an empty option is one that is not set",
			Match:  is("getUrl", func(c conformance.Case) bool { return option(c, "expectedBucketOwner") == "" }),
			Instead: func(c conformance.Case) conformance.Case {
				return all.presignedAs(all.download(c), 900, func(*url.URL) {})
			},
		},
		{
			Name:   "the endpoint for testing",
			Reason: "the original always fails",
			Match: is("getUrl", func(c conformance.Case) bool {
				return c.In("config", "Storage", "S3", "dangerouslyConnectToHttpEndpointForTesting") == "true"
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return all.presignedAs(all.download(c), 900, func(u *url.URL) {
					u.Scheme, u.Host, u.Path = "http", "localhost:20005", "/drive-main"+u.Path
				})
			},
		},
		{
			Name:   "methods in lower case",
			Reason: "the original takes them for GET: who wanted an upload would get a download",
			Match: is("getUrl", func(c conformance.Case) bool {
				method := text(option(c, "method"))
				return method != strings.ToUpper(method)
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "InvalidStorageOperationInput", fmt.Sprintf("There are no URLs for the method %q.", option(c, "method")), "")
			},
		},
		{
			Name:   "unknown access levels",
			Reason: "the original takes them for guest, which everybody reads and writes",
			Match: func(c conformance.Case) bool {
				level := text(option(c, "accessLevel"))
				return level != "" && !slices.Contains([]string{"guest", "protected", "private"}, level)
			},
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "InvalidStorageOperationInput", fmt.Sprintf("There is no access level %q.", option(c, "accessLevel")), "")
			},
		},
		{
			Name:   "answers without a body",
			Reason: "the original names the error by its status, as digits. Here it has the name of S3",
			Match: func(c conformance.Case) bool {
				return headNames[text(c.Want("error", "name"))] != [2]string{}
			},
			Instead: func(c conformance.Case) conformance.Case {
				ours := headNames[text(c.Want("error", "name"))]
				return c.Expect(ours[0], "error", "name").Expect(ours[1], "error", "message")
			},
		},
		{
			Name:   "dates that are none",
			Reason: "the original returns a Date that is invalid. S3 sends none",
			Match: is("getProperties", func(c conformance.Case) bool {
				return c.Want("value", "lastModified") == "$invalid-date"
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return instead(c, map[string]any{
					"requests": c.Want("requests"),
					"error":    map[string]any{"name": "Unknown", "message": "An unknown error has occurred.", "httpStatusCode": 200},
				})
			},
		},
		{
			Name:   "sizes that are not told",
			Reason: "in Go they are 0. S3 always tells them",
			Match: func(c conformance.Case) bool {
				items, _ := c.Want("value", "items").([]any)
				return c.In("call") == "getProperties" && c.Want("value") != nil && c.Want("value", "size") == nil ||
					slices.ContainsFunc(items, func(i any) bool { return i.(map[string]any)["size"] == nil })
			},
			Instead: func(c conformance.Case) conformance.Case {
				items, ok := c.Want("value", "items").([]any)
				if !ok {
					return c.Expect(0, "value", "size")
				}
				for _, i := range items {
					if item := i.(map[string]any); item["size"] == nil {
						item["size"] = 0
					}
				}
				return c.Expect(items, "value", "items")
			},
		},
		{
			Name:   "removing everything",
			Reason: "the original refuses * but not **",
			Match: is("remove", func(c conformance.Case) bool {
				path := text(c.In("input", "path"))
				return len(path) > 1 && strings.Trim(path, "*") == ""
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return refused(c, "Error", "Cannot delete root or bucket-wide paths", "")
			},
		},
		{
			Name:   "a refused look for a folder",
			Reason: "the original takes it for no folder, and does not say so",
			Match: is("remove", func(c conformance.Case) bool {
				replies, _ := c.In("responses").([]any)
				requests := requestsOf(c)
				return len(replies) > 0 && replies[0].(map[string]any)["status"] == 403.0 && len(requests) == 2 && isListing(requests[0])
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return encodedLists(c).Expect("AccessDenied", "value", "folderUnseen")
			},
		},
		{
			Name:   "objects that remain",
			Reason: "the original tells of them in onProgress only",
			Match: is("remove", func(c conformance.Case) bool {
				return c.Want("value") != nil && firstFailure(c) != nil
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return encodedLists(c).ExpectNo("value").Expect(map[string]any{
					"name": firstFailure(c)["code"], "message": "Some objects of the folder could not be removed.",
					"reason": amplify.ReasonPartlyRemoved,
				}, "error")
			},
		},
		{
			Name:   "a folder by its key",
			Reason: "the original returns a path. Here it is the key, as for objects",
			Match: is("remove", func(c conformance.Case) bool {
				return c.In("input", "key") != nil && c.Want("value", "path") != nil
			}),
			Instead: func(c conformance.Case) conformance.Case {
				return encodedLists(c).ExpectNo("value", "path").Expect(c.In("input", "key"), "value", "key")
			},
		},
		{
			Name: "lists of what is to be removed",
			Reason: "the original does not ask for encoded keys, so that one control character makes the answer unreadable, tells " +
				"keys as XML escapes them, and loses the bucket of a batch if its name has dots",
			Match:   is("remove", func(c conformance.Case) bool { return slices.ContainsFunc(requestsOf(c), isListing) }),
			Instead: encodedLists,
		},
		{
			Name:   "errors with status 200",
			Reason: "the original takes them for success",
			Match: is("copy", func(c conformance.Case) bool {
				replies, _ := c.In("responses").([]any)
				return c.Want("value") != nil && len(replies) == 1 && strings.Contains(text(replies[0].(map[string]any)["text"]), "<Error>")
			}),
			Instead: func(c conformance.Case) conformance.Case {
				requests := requestsOf(c)
				requests[0]["attempts"] = 3
				reply := c.In("responses").([]any)[0].(map[string]any)
				found := regexp.MustCompile(`<Code>(.*)</Code><Message>(.*)</Message>`).FindStringSubmatch(text(reply["text"]))
				return c.ExpectNo("value").Expect(requests, "requests").Expect(map[string]any{
					"name": found[1], "message": found[2], "reason": amplify.ReasonServiceUnavailable, "httpStatusCode": 500,
				}, "error")
			},
		},
		{
			Name:   "copies from a path to a key, and back",
			Reason: "the original refuses them for want of a type. Here a key is a path with a prefix",
			Match: is("copy", func(c conformance.Case) bool {
				return (c.In("input", "source", "path") == nil) != (c.In("input", "destination", "path") == nil) &&
					strings.HasPrefix(text(c.Want("error", "name")), "NoDestination")
			}),
			Instead: func(c conformance.Case) conformance.Case {
				from, to := cmp.Or(text(c.In("input", "source", "path")), "public/"+text(c.In("input", "source", "key"))),
					cmp.Or(text(c.In("input", "destination", "path")), "public/"+text(c.In("input", "destination", "key")))
				name := "path"
				if key := c.In("input", "destination", "key"); key != nil {
					name = "key"
				}
				return instead(c, map[string]any{
					"requests": []any{all.copyRequest(from, to)},
					"value":    map[string]any{name: c.In("input", "destination", name)},
				})
			},
		},
		{
			Name:   "sources beyond Latin-1",
			Reason: "the original cannot send their names",
			Match: is("copy", func(c conformance.Case) bool {
				return strings.HasPrefix(text(c.Want("error", "underlyingError", "message")), "Cannot convert argument to a ByteString")
			}),
			Instead: func(c conformance.Case) conformance.Case {
				from, to := text(c.In("input", "source", "path")), text(c.In("input", "destination", "path"))
				return instead(c, map[string]any{"requests": []any{all.copyRequest(from, to)}, "value": map[string]any{"path": to}})
			},
		},
		{
			Name:   "names of sources",
			Reason: "the original sends them as they are. S3 decodes them: a %, for instance, would name another object",
			Match: is("copy", func(c conformance.Case) bool {
				return slices.ContainsFunc(requestsOf(c), func(r map[string]any) bool {
					source := text(r["headers"].(map[string]any)["x-amz-copy-source"])
					return source != copySource(source)
				})
			}),
			Instead: func(c conformance.Case) conformance.Case {
				requests := requestsOf(c)
				for _, r := range requests {
					headers := r["headers"].(map[string]any)
					headers["x-amz-copy-source"] = copySource(text(headers["x-amz-copy-source"]))
				}
				return c.Expect(requests, "requests")
			},
		},
	}
}

// firstFailure returns the first failure that onProgress was told of.
func firstFailure(c conformance.Case) map[string]any {
	told, _ := c.Want("progress").([]any)
	for _, batch := range told {
		if failed, _ := batch.(map[string]any)["failed"].([]any); len(failed) > 0 {
			return failed[0].(map[string]any)
		}
	}
	return nil
}

// copyRequest returns the request that copies between two paths of the default bucket.
func (s *sessions) copyRequest(from, to string) map[string]any {
	const bucket = "drive-main"
	host := bucket + ".s3.us-east-1.amazonaws.com"
	user := s.Sessions["user"].Credentials
	return map[string]any{
		"method": "PUT", "scheme": "https", "host": host, "path": "/" + httpbinding.EscapePath(to, false),
		"query": []any{[]any{"x-id", "CopyObject"}}, "attempts": 1,
		"headers": map[string]any{
			"host": host, "x-amz-copy-source": copySource(bucket + "/" + from),
			"x-amz-metadata-directive": "COPY", "x-amz-tagging-directive": "COPY",
			"x-amz-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			"x-amz-date":           s.Now.Format("20060102T150405Z"), "x-amz-security-token": user.SessionToken,
			"authorization": "Credential=" + user.AccessKeyID + "/" + s.Now.Format("20060102") + "/us-east-1/s3/aws4_request,",
		},
	}
}
