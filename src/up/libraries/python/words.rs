//! What is said about modules that are not there.

use crate::up::interpreters::Interpreter;

/// Packages that have a module of another name.
const OTHER_NAMES: [(&str, &str); 14] = [
    ("Crypto", "pycryptodome"),
    ("bs4", "beautifulsoup4"),
    ("cv2", "opencv-python-headless"),
    ("dateutil", "python-dateutil"),
    ("docx", "python-docx"),
    ("dotenv", "python-dotenv"),
    ("fitz", "PyMuPDF"),
    ("jwt", "PyJWT"),
    ("kafka", "kafka-python"),
    ("sklearn", "scikit-learn"),
    ("socks", "PySocks"),
    ("websocket", "websocket-client"),
    ("yaml", "PyYAML"),
    ("zmq", "pyzmq"),
];

/// Modules that Python had, and the release that has them no more.
const GONE: [(&str, u32); 25] = [
    ("aifc", 13),
    ("asynchat", 12),
    ("asyncore", 12),
    ("audioop", 13),
    ("binhex", 11),
    ("cgi", 13),
    ("cgitb", 13),
    ("chunk", 13),
    ("crypt", 13),
    ("distutils", 12),
    ("formatter", 10),
    ("imghdr", 13),
    ("imp", 12),
    ("lib2to3", 13),
    ("mailcap", 13),
    ("nntplib", 13),
    ("parser", 10),
    ("pipes", 13),
    ("smtpd", 12),
    ("sndhdr", 13),
    ("spwd", 13),
    ("sunau", 13),
    ("telnetlib", 13),
    ("uu", 13),
    ("xdrlib", 13),
];

/// Modules of Python 2.
const OF_PYTHON_2: [&str; 10] = [
    "ConfigParser",
    "HTMLParser",
    "Queue",
    "StringIO",
    "cPickle",
    "cStringIO",
    "commands",
    "httplib",
    "urllib2",
    "urlparse",
];

/// The module `name` is imported and is nowhere.
pub(super) fn unknown(name: &str, interpreter: &Interpreter) -> String {
    let python = format!("Python 3.{}", interpreter.release);
    if let Some((_, gone)) = GONE.iter().find(|(module, _)| *module == name)
        && interpreter.release >= *gone
    {
        return format!(
            "Python has no module {name} any more from 3.{gone} on, and {python} runs this: change the \
             code, or choose an older Python with interpreter of the function"
        );
    }
    if OF_PYTHON_2.contains(&name) {
        return format!("{name} is a module of Python 2: convert the code with 2to3");
    }
    let other = OTHER_NAMES.iter().find(|(module, _)| *module == name);
    let package = match other {
        Some((_, package)) => (*package).to_owned(),
        None => format!("the package that has it (often {name})"),
    };
    format!(
        "the module {name} is not there, and the cloud's image does not have it: write {package} into \
         requirements.txt beside the code"
    )
}

pub(super) fn left_out(line: &str) -> String {
    format!(
        "{line:?} is not installed, because it is a folder or a file of your own: put the package \
         beside the code, or name one of a registry"
    )
}
