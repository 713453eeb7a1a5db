// Package appsync is the GraphQL API that Amplify makes of a data schema: who is calling, what they
// may do, and what the resolvers that Amplify generates answer.
package appsync
