module.exports = { aws_project_region: 'eu-west-1' };
