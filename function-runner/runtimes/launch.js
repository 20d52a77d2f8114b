// Compiles the text of the bootstrap as the main module, as if it were a file in the folder of the
// code. Runs itself as CommonJS and as an ES module: NODE_OPTIONS of the function may choose. Any
// version of Node can read this file, so that an old one says what is wrong.
(function (text) {
  var version = process.versions.node;
  if (parseInt(version, 10) < 10) {
    process.stderr.write(process.execPath + " is Node " + version + ", and functions with runtime "
      + "\"nodejs\" need Node 10 or newer: set interpreter of the function to one\n");
    process.exit(1);
  }
  function launch(Module) {
    var root = process.env.USER_CODE_ROOT;
    var main = new Module(".");
    main.filename = root + "/longhold.cjs";
    main.paths = Module._nodeModulePaths(root);
    // What require.main is in the function.
    process.mainModule = main;
    // Node has put these into the global scope for a program that is given as text.
    var standard = ["console", "crypto", "performance", "process"];
    var added = ["require", "module", "exports", "__filename", "__dirname"];
    Module.builtinModules.concat(added).forEach(function (name) {
      if (standard.indexOf(name) < 0) delete global[name];
    });
    main._compile(text, main.filename);
    main.loaded = true;
  }
  if (typeof require === "function") return Promise.resolve(require("module")).then(launch);
  // As text, since old versions cannot read it.
  return Function("return import('module')")().then(function (found) { launch(found.default); });
})
