package amplify_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/amplify-go/amplify/internal/conformance"
)

var configExceptions = []conformance.Rule{
	{
		Name:   "not an object",
		Reason: "a list or a text passes through the original unread and configures nothing; here it is an error",
		Match: func(c conformance.Case) bool {
			_, object := c.In("config").(map[string]any)
			return !object && c.Want("value") != nil
		},
		Instead: func(c conformance.Case) conformance.Case {
			return refused(c, "The configuration is not a JSON object.", "Pass the content of amplify_outputs.json (Gen 2), of "+
				"amplifyconfiguration.json (Gen 1), or a ResourcesConfig: a JSON object.")
		},
	},
	{
		Name: "unknown major version",
		Reason: `the original takes any version that begins with "1", 10 too, for the format that it knows, ` +
			"and what has another version for a ResourcesConfig, which configures nothing; here both are errors",
		Match: func(c conformance.Case) bool {
			config, _ := c.In("config").(map[string]any)
			for name := range config {
				if strings.HasPrefix(name, "aws_") {
					return false
				}
			}
			version, _ := config["version"].(string)
			major, _, _ := strings.Cut(version, ".")
			return version != "" && major != "1" && c.Want("value") != nil
		},
		Instead: func(c conformance.Case) conformance.Case {
			version, _ := c.In("config", "version").(string)
			if !regexp.MustCompile(`^[0-9.]{1,16}$`).MatchString(version) {
				version = "" // it may be a secret that is out of place
			}
			return refused(c, fmt.Sprintf("The configuration has version %q of amplify_outputs.json. This library reads 1 and 1.x.", version),
				"Update this library, or generate the outputs again (npx ampx generate outputs).")
		},
	},
	{
		Name:   "redirect lists are trimmed",
		Reason: "the original keeps blanks around redirect addresses and the empty text between two commas; they match no address",
		Match: func(c conformance.Case) bool {
			return slices.ContainsFunc(redirectLists, func(name string) bool {
				list, tidy := tidyRedirects(c, name)
				return len(list) != len(tidy) || slices.ContainsFunc(list, func(v any) bool { return !slices.Contains(tidy, v) })
			})
		},
		Instead: func(c conformance.Case) conformance.Case {
			for _, name := range redirectLists {
				_, tidy := tidyRedirects(c, name)
				c = c.Expect(tidy, "value", "Auth", "Cognito", "loginWith", "oauth", name)
			}
			return c
		},
	},
	{
		Name:   "buckets called like members of every object",
		Reason: "the original takes a bucket called constructor for a duplicate. Here it is a name like any other",
		Match: func(c conformance.Case) bool {
			named := 0
			for _, b := range buckets(c) {
				if c.Want("error", "message") == fmt.Sprintf("Duplicate friendly name found: %v. Name must be unique.", b["name"]) {
					named++
				}
			}
			config, _ := c.In("config").(map[string]any)
			return named == 1 && len(config) == 2 // the version and the buckets: the recording says nothing about the rest
		},
		Instead: func(c conformance.Case) conformance.Case {
			byName := map[string]any{}
			for _, b := range buckets(c) {
				byName[fmt.Sprint(b["name"])] = map[string]any{"bucketName": b["bucket_name"], "region": b["aws_region"], "paths": b["paths"]}
			}
			return c.ExpectNo("error").Expect(map[string]any{
				"bucket": c.In("config", "storage", "bucket_name"), "region": c.In("config", "storage", "aws_region"), "buckets": byName,
			}, "value", "Storage", "S3")
		},
	},
	{
		Name:   "names that are missing",
		Reason: `the original writes them as the text "undefined". Here they are empty`,
		Match: func(c conformance.Case) bool {
			message, _ := c.Want("error", "message").(string)
			if strings.HasPrefix(message, "Duplicate friendly name found: undefined.") {
				return true
			}
			return slices.ContainsFunc(named, func(path []string) bool { return c.Want(append(path, "undefined")...) != nil })
		},
		Instead: func(c conformance.Case) conformance.Case {
			if message, ok := c.Want("error", "message").(string); ok {
				return c.Expect(strings.Replace(message, ": undefined.", ": .", 1), "error", "message")
			}
			for _, path := range named {
				if without := append(path, "undefined"); c.Want(without...) != nil {
					c = c.Expect(c.Want(without...), append(path, "")...).ExpectNo(without...)
				}
			}
			return c
		},
	},
}

// named are the places where the original writes parts by their names.
var named = [][]string{
	{"value", "Storage", "S3", "buckets"}, {"value", "API", "REST"}, {"value", "Interactions", "LexV1"},
}

// refused returns c with our error in place of what is expected.
func refused(c conformance.Case, message, suggestion string) conformance.Case {
	c.Expected = json.RawMessage(`{}`)
	return c.Expect(map[string]any{"name": "InvalidParameterException", "message": message, "recoverySuggestion": suggestion}, "error")
}

var redirectLists = []string{"redirectSignIn", "redirectSignOut"}

// tidyRedirects returns the recorded list of redirect addresses of that name, and the
// same without blanks and empty texts.
func tidyRedirects(c conformance.Case, name string) (list, tidy []any) {
	list, _ = c.Want("value", "Auth", "Cognito", "loginWith", "oauth", name).([]any)
	for _, v := range list {
		if address, ok := v.(string); ok && strings.TrimSpace(address) != "" {
			tidy = append(tidy, strings.TrimSpace(address))
		}
	}
	return list, tidy
}

// buckets returns the buckets of a Gen 2 file.
func buckets(c conformance.Case) (all []map[string]any) {
	list, _ := c.In("config", "storage", "buckets").([]any)
	for _, v := range list {
		bucket, _ := v.(map[string]any)
		all = append(all, bucket)
	}
	return all
}
