<?php
header('X-Php: ' . PHP_SAPI);
setcookie('seen', 'yes');
if (isset($_GET['status']))
	http_response_code((int)$_GET['status']);
if (isset($_GET['to'])) {
	header('Location: ' . $_GET['to']);
	exit;
}
header('Content-Type: application/json');
echo json_encode(['get' => $_GET, 'post' => $_POST, 'cookie' => $_COOKIE,
	'method' => $_SERVER['REQUEST_METHOD'],
	'info' => $_SERVER['PATH_INFO'] ?? null,
	'file' => isset($_FILES['f']) ?
	    md5_file($_FILES['f']['tmp_name']) : null]);
