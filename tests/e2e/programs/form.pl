#!/usr/bin/perl
# A CGI.pm script as they were written in 1998.
use strict;
use warnings;
use CGI;

my $q = CGI->new;

if ($q->param('to')) {
	print $q->redirect($q->param('to'));
	exit;
}
print $q->header(-type => 'text/html', -charset => 'utf-8',
    -cookie => $q->cookie(-name => 'visit', -value => 'first'));
print $q->start_html('Hello'), $q->h1('Hello ' . $q->param('name')),
    $q->p('method ' . $q->request_method . ', path ' . $q->path_info),
    $q->end_html;
print STDERR "said hello\n";
